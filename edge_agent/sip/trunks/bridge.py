"""Two calls joined into one: the leg that came in, and the one that was placed for it (RFC 7092 §3.1).

Session descriptions go from one side to the other as they are, but for the addresses of relayed media (`relays`), so
codecs, DTMF and encryption are the phones' and the provider's to agree on. Session timers, reliable provisional
responses and digest are each side's own.

    Trying ──answered──▶ Joined ──either side ends──▶ Over
       └──refused, cancelled──▶ Over
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from edge_agent.ports import AnswerLater, CallRefused, Transfer
from edge_agent.sip.dialog import DialogKey
from edge_agent.sip.message import RawHeader
from edge_agent.sip.relaying.recording import MayNotRecord, NotRecordable
from edge_agent.sip.trunks.pressed_keys import key_of
from edge_agent.sip.trunks.relays import RelayedCall, RelayPosition
from edge_agent.sip.user_agent.bodies import session_of
from edge_agent.sip.user_agent.leg import Leg, PlacedLeg

_ENDINGS: Final = {"refused": 0, "unanswered": 408, "unreachable": 503}
"""How a placed call ends before its answer, with the status that stands for it; 0: its own."""


class Pending(CallRefused):
    """Another session is being agreed on already (RFC 3261 §14.1)."""

    status = 491
    reason = "Request Pending"


class NotTransferable(CallRefused):
    """Who asked for a transfer may not."""

    status = 603
    reason = "Decline"


class BridgeOwner(Protocol):
    """Whose bridge it is."""

    def refused(self, bridge: Bridge, status: int) -> tuple[int, tuple[RawHeader, ...]]:
        """The placed call was refused: the status, with headers, that who called gets."""
        ...

    def transfer_wanted(self, side: Side, transfer: Transfer) -> None:
        """A side wants the other one to talk to somebody else.

        Raises:
            CallRefused: it will not.
        """
        ...

    def pressed(self, bridge: Bridge, key: str) -> None:
        """Who is inside pressed a key."""
        ...

    def settled(self, bridge: Bridge) -> None:
        """It is answered, or somebody else is in it; told before who is in it hears of that."""
        ...

    def over(self, bridge: Bridge, cause: str) -> None:
        """Both sides are done; told once."""
        ...


class Side:
    """One leg of a bridge, as it hears of its call; the `CallListener` of that leg.

    Args:
        bridge: what it is a side of.
        inside: whether the site is there, and not the provider.
    """

    __slots__ = (
        "asking",
        "bridge",
        "early",
        "heard",
        "inside",
        "last",
        "leg",
        "on_changed",
        "on_offer",
        "relay",
        "told",
        "wishes",
    )

    def __init__(self, bridge: Bridge, inside: bool) -> None:
        self.bridge = bridge
        self.inside = inside
        self.leg: Leg | PlacedLeg | None = None
        self.last: Leg | PlacedLeg | None = None
        """What `leg` was before it ended."""
        self.early: bytes | None = None
        """What it described before it answered."""
        self.heard: bytes | None = None
        """Its own newest description, once the call was answered."""
        self.told: bytes | None = None
        """What it was told in answer to that."""
        self.wishes = False
        """It wants another session, and the other side is being asked."""
        self.asking = False
        """It was asked for an offer, which is to be answered by `acknowledge`."""
        self.on_changed: Callable[[int, bytes | None], None] | None = None
        """Hears of the next change instead of the other side."""
        self.on_offer: Callable[[bytes], bytes | None] | None = None
        """Gets the next offer, as it came, instead of the other side; the answer to it, or None: that comes by
        `acknowledge`."""
        self.relay: RelayPosition | None = None
        """Where it stands in a call whose media may be relayed."""

    def relayed(self, description: bytes | None) -> bytes | None:
        """Its description as everybody else is to see it."""
        if self.relay is None or not description:
            return description
        return self.relay.through(description, outside=not self.inside)

    @property
    def other(self) -> Side:
        """The side that it talks to."""
        return self.bridge.other(self)

    def hang_up(self) -> None:
        """End this leg, whatever state it is in."""
        if self.leg is not None:
            self.leg.hang_up()

    # -- see `CallListener`

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """The placed call rings."""
        description = self.relayed(description)
        self.early = description or self.early
        self.bridge.progressed(status, description)
        return None

    def answered(self, description: bytes | None) -> bytes | None:
        """The placed call was answered."""
        # What came in a provisional response need not be said again (RFC 6337 §3.1.1).
        self.heard = self.relayed(description) or self.early
        self.bridge.answered(self.heard or b"")
        return None

    def reoffered(self, offer: bytes | None) -> bytes:
        """It wants another session, or offers one because it was asked to."""
        taker, self.on_offer = self.on_offer, None
        if taker is not None:
            self.asking = False
            answer = taker(offer or b"")
            if answer is not None:
                return answer
            raise AnswerLater
        offer = self.relayed(offer)
        if self.asking:
            self.asking = False
            self.heard = offer
            self._offered(offer or b"")
            raise AnswerLater
        if offer is not None and offer == self.heard and self.told is not None:
            # Its session timer: nothing changed, so the other side need not be asked (RFC 4028 §7.4).
            return self.told
        other = self.other
        if self.bridge.busy or other.leg is None or other.leg.key is None:
            raise Pending("the other side is asked something already, or not there yet")
        self.wishes = True
        other.asking = offer is None
        other.leg.reoffer(offer)
        if not self.wishes:
            raise Pending("the other side cannot be asked now")
        self.heard = offer or self.heard
        raise AnswerLater

    def _offered(self, offer: bytes) -> None:
        if self.other.wishes:
            self.other.wishes = False
            self.other.told = offer
            if self.other.leg is not None:
                self.other.leg.reanswer(offer)

    def changed(self, status: int, description: bytes | None) -> None:
        """What came of its being asked for another session."""
        description = self.relayed(description)
        taker, self.on_changed = self.on_changed, None
        if taker is not None:
            taker(status, description)
            return
        other = self.other
        accepted = status < 300
        if not accepted:
            self.asking = False
        if other.wishes and (not accepted or description is not None):
            other.wishes = False
            if other.leg is None:
                return
            if accepted and description is not None:
                self.heard, self.told, other.told = description, other.heard, description
                other.leg.reanswer(description)
            else:
                other.leg.rerefuse(status)

    def acknowledged(self, answer: bytes | None) -> None:
        """It answered an offer that the other side had been asked for."""
        answer = self.relayed(answer)
        if answer is not None:
            self.heard = answer
        if self.other.leg is not None:
            self.other.told = answer
            self.other.leg.acknowledge(answer or b"")

    def informed(self, content_type: str, body: bytes) -> None:
        """It sent information, such as digits."""
        if self.inside and (key := key_of(content_type, body)):
            self.bridge.owner.pressed(self.bridge, key)
        if self.other.leg is not None:
            self.other.leg.inform(content_type, body)

    def record_wanted(self, wanted: bool) -> None:
        """It wants the call to be recorded, or no longer; the provider hears nothing of it."""
        if not self.inside:
            raise MayNotRecord("a provider has no call recorded")
        self.bridge.record_wanted(wanted)

    def transfer_wanted(self, transfer: Transfer) -> None:
        """It wants the other side to talk to somebody else: that is done here, and the provider hears nothing of it."""
        if not self.inside:
            raise NotTransferable("a provider transfers nobody within the site")
        self.bridge.owner.transfer_wanted(self, transfer)

    def transfer_progressed(self, status: int, final: bool) -> None:
        """Nobody was asked to transfer."""

    def ended(self, cause: str, status: int) -> None:
        """Its call is over."""
        taker, self.on_changed = self.on_changed, None
        if taker is not None:
            taker(status or 481, None)
        self.bridge.side_ended(self, cause, status)


class Bridge:
    """Two sides, and how far they are.

    Args:
        owner: told how it ends.
        trunk_id: by which trunk.
        outward: whether the site calls.
        caller: the leg that came in.
        number: of the party outside.
        relay: what descriptions go through; None: media is not relayed.
    """

    __slots__ = (
        "_session",
        "answered_once",
        "caller",
        "ended_by",
        "first",
        "joined",
        "joining",
        "late",
        "moving",
        "number",
        "offer",
        "outward",
        "over",
        "owner",
        "relay",
        "second",
        "trunk_id",
    )

    def __init__(
        self,
        owner: BridgeOwner,
        trunk_id: str,
        outward: bool,
        caller: Leg,
        number: str,
        relay: RelayedCall | None = None,
    ) -> None:
        self.owner = owner
        self.trunk_id = trunk_id
        self.number = number
        self.outward = outward
        self.caller: Leg | None = caller
        """The leg that waits for an answer."""
        self.first = Side(self, inside=outward)
        self.first.leg = caller
        self.second = Side(self, inside=not outward)
        self.relay = relay
        self.offer = caller.offer or b""
        """The body that whom is called gets."""
        session = session_of(caller.invite)
        if relay is not None:
            self.first.relay, self.second.relay = relay.position(outward), relay.position(not outward)
            offered = self.first.relayed(session) or b""
            # A body of several parts is the same but for its session.
            self.offer = self.offer.replace(session, offered, 1) if session else self.offer
            session = offered
        self._session = session or None
        self.answered_once = False
        self.late = not caller.offer
        """Whether the answer of whom was called is the offer (RFC 3261 §13.2.1)."""
        self.over = False
        self.ended_by: Side | None = None
        self.joined: tuple[DialogKey, Side] | None = None
        """Where both sides are providers': the dialog that there was inside, and who came from another call."""
        self.moving: Side | None = None
        """Who is being called to take the inner side's place."""
        self.joining = False
        """Whether the outer side is about to talk to that of another call, as the inner one wants it."""

    @property
    def busy(self) -> bool:
        """Whether another session is being agreed on."""
        return any(side.wishes or side.asking or side.on_changed for side in (self.first, self.second))

    @property
    def inside(self) -> Side:
        """The side of the site."""
        return self.first if self.first.inside else self.second

    @property
    def outside(self) -> Side:
        """The provider's side."""
        return self.second if self.first.inside else self.first

    def other(self, side: Side) -> Side:
        """Whom a side talks to."""
        return self.second if side is self.first else self.first

    def replace(self, old: Side, new: Side) -> None:
        """Somebody else takes a side's place."""
        if self.relay is not None and old.inside:
            self.relay.asker_leaves()
        new.bridge = self
        if old is self.first:
            self.first = new
        else:
            self.second = new
        self.owner.settled(self)

    def record_wanted(self, wanted: bool) -> None:
        """Who is inside wants the call to be recorded, or no longer.

        Raises:
            CallRefused: he may not, or it cannot be.
        """
        if self.relay is None or not self.answered_once or self.over:
            raise NotRecordable("the media of this call does not go by our relay")
        if not wanted:
            self.relay.record_no_more()
        elif self.inside.leg is not None:
            self.relay.record(self.inside.leg.call_id)

    def pressed(self, key: str, now: float) -> None:
        """Who is inside pressed a key, `now` in seconds, monotonic."""
        inside = self.inside
        if self.relay is not None and inside.inside and inside.leg is not None and not self.over:
            self.relay.pressed(inside.leg.call_id, key, now)

    # -- what sides tell

    def progressed(self, status: int, description: bytes | None) -> None:
        """Whom was called rings."""
        if self.caller is not None:
            self.caller.progress(status, description or b"")

    def answered(self, description: bytes) -> None:
        """Whom was called answered.

        Raises:
            AnswerLater: with an offer, which the caller's ACK will answer.
        """
        caller, self.caller = self.caller, None
        if caller is None:
            return
        self.answered_once = True
        if self.relay is not None and self.inside.leg is not None:
            self.relay.belongs_to(self.inside.leg.call_id, outward=self.outward)
        self.first.heard = self.second.told = self._session
        self.first.told = description
        self.owner.settled(self)
        caller.answer(description)
        if self.late:
            raise AnswerLater

    def give_up(self, status: int, reason: str, headers: tuple[RawHeader, ...] = ()) -> None:
        """Refuse the caller, and take back what was placed for him."""
        caller, self.caller = self.caller, None
        self._finish("refused")
        if caller is not None:
            caller.refuse(status, reason, headers)
        self.second.hang_up()

    def side_ended(self, side: Side, cause: str, status: int) -> None:
        """One side is over, so the other one is to be."""
        side.last, side.leg = side.leg, None
        if self.over or side not in (self.first, self.second):
            return
        if self.joining and side.inside:
            # As below: what becomes of that decides what becomes of the other side.
            return
        if self.moving is not None:
            if side.inside:
                # Who asked for a transfer need not wait for its end.
                return
            self.moving.hang_up()
        self.ended_by = side
        caller, self.caller = self.caller, None
        if side is self.second and caller is not None:
            said = _ENDINGS.get(cause, 503) or status
            answer, headers = self.owner.refused(self, said)
            self._finish(cause)
            caller.refuse(answer, "", headers)
            return
        self._finish(cause)
        self.other(side).hang_up()

    def dissolve(self) -> None:
        """Its outer side went to another bridge: nothing that still happens here concerns anybody."""
        self._finish("transferred")

    def _finish(self, cause: str) -> None:
        if not self.over:
            self.over = True
            if self.relay is not None:
                self.relay.close()
            self.owner.over(self, cause)
