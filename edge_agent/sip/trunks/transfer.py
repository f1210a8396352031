"""Transfers of a trunk's call, carried out here: providers are sent no REFER and see another session at most.

Who was asked to be called (RFC 3515) gets an INVITE without an offer; what he offers when he answers is what the
provider's side is asked to take, and its answer is what he gets in the ACK (RFC 3725 §4.1 does so with two new calls).
"""

from __future__ import annotations

from edge_agent.ports import AnswerLater, CallRefused
from edge_agent.sip.trunks.bridge import Bridge, Side
from edge_agent.sip.trunks.directions import both_ways, is_silent
from edge_agent.sip.trunks.joins import Joins
from edge_agent.sip.user_agent.leg import Leg


class Moving(Side):
    """The side that is to take the place of the one that asked for a transfer.

    Args:
        bridge: the call that is transferred.
        old: who asked.
    """

    __slots__ = ("done", "old")

    def __init__(self, bridge: Bridge, old: Side) -> None:
        super().__init__(bridge, inside=True)
        self.old = old
        self.relay = old.relay
        self.done = False

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """He rings."""
        self._tell(status)
        return None

    def answered(self, description: bytes | None) -> bytes | None:
        """He answered, with an offer for the provider's side."""
        outside = self.bridge.outside
        if self.bridge.over or outside.leg is None or description is None or self.bridge.busy:
            self.hang_up()
            return b""
        self.heard = self.relayed(description)
        outside.on_changed = self._agreed
        outside.leg.reoffer(self.heard)
        raise AnswerLater

    def _agreed(self, status: int, answer: bytes | None) -> None:
        if self.leg is None:
            return
        if status >= 300 or answer is None:
            self.leg.acknowledge(b"")
            self.hang_up()
            return
        self.done = True
        self.told = answer
        self.bridge.outside.heard, self.bridge.outside.told = answer, self.heard
        self.leg.acknowledge(answer)
        self._tell(200)
        old, self.old.leg = self.old.leg, None
        self.bridge.replace(self.old, self)
        self.bridge.moving = None
        if old is not None:
            old.hang_up()

    def ended(self, cause: str, status: int) -> None:
        """It is over: the transfer failed, or the call that it led to ended."""
        if self.done:
            super().ended(cause, status)
            return
        self.leg = None
        self.bridge.moving = None
        self._tell(status or 503)
        if self.old.leg is None:
            # Who asked has hung up meanwhile: nobody is left inside.
            self.bridge.side_ended(self.old, cause, status)

    def _tell(self, status: int) -> None:
        if self.old.leg is not None:
            self.old.leg.transfer_progress(status)


class Join:
    """The outer sides of two calls on their way to talk to each other, as whoever talks to both asked for.

    The one is asked for an offer, which the other one is asked to take. Who was on hold may offer no more than to
    listen: then each is offered the whole session once more, when they are together. Who asked for it need not wait.

    Args:
        kept: the call whose inner side asked; it goes on.
        other: the call whose place is taken.
        asker: the inner side of `kept`.
        joins: hears what comes of it.
    """

    __slots__ = ("_asker", "_begun", "_joins", "_kept", "_left", "_names", "_other", "_over", "_place", "_right")

    def __init__(self, kept: Bridge, other: Bridge, asker: Side, joins: Joins) -> None:
        self._kept, self._other, self._asker, self._joins = kept, other, asker, joins
        self._left, self._right = kept.outside, other.outside
        self._place = self._right.relay
        self._begun = self._over = False

    def begin(self) -> None:
        """Ask for it.

        Raises:
            CallRefused: one of the calls is busy with something else, or over.
        """
        left, right = self._left, self._right
        mine = self._asker.leg.key if self._asker.leg is not None else None
        inner = self._other.inside.leg
        theirs = inner.key if inner is not None else None
        if left.leg is None or right.leg is None or mine is None or theirs is None:
            raise CallRefused("one of the calls is over")
        if self._kept.busy or self._other.busy:
            raise CallRefused("another session is being agreed on")
        self._names = mine, theirs
        left.asking, left.on_offer, left.on_changed = True, self._offered, self._asked
        left.leg.reoffer(None)
        if self._over:
            raise CallRefused("another session is being agreed on with one of the providers")
        self._begun = True
        self._kept.joining = self._other.joining = True

    def _asked(self, status: int, offer: bytes | None) -> None:
        """What came of asking the first one for an offer, which `_offered` has got if there is one."""
        if not self._over and (status >= 300 or not offer):
            self._left.asking, self._left.on_offer = False, None
            self._fail()

    def _offered(self, offer: bytes) -> bytes | None:
        """It offers; the answer, where the other one cannot even be asked."""
        left, right, place = self._left, self._right, self._asker.relay
        before = left.told or b""
        if right.leg is None or not offer or self._other.busy:
            self._fail()
            return before
        if place is not None:
            # He is told where the relay is for providers, and not for phones.
            place.taken(outside=True)
        left.heard = left.relayed(offer)
        right.on_changed, right.relay = self._agreed, place
        right.leg.reoffer(left.heard)
        return before if self._over else None

    def _agreed(self, status: int, answer: bytes | None) -> None:
        left, right = self._left, self._right
        if status >= 300 or answer is None or left.leg is None or right.leg is None:
            right.relay = self._place
            if left.leg is not None:
                # An offer is to be answered, and nothing has changed for it.
                left.leg.acknowledge(left.told or b"")
            elif right.leg is not None and status < 300 and right.told:
                right.leg.reoffer(right.told)
            self._fail()
            return
        offer, self._over = left.heard or b"", True
        left.leg.acknowledge(answer)
        left.told, right.heard, right.told = answer, answer, offer
        if self._asker.leg is not None:
            self._asker.leg.transfer_progress(200)
        self._bring_together()
        if is_silent(offer):
            self._open_up(both_ways(answer))

    def _bring_together(self) -> None:
        kept, other, asker, right = self._kept, self._other, self._asker, self._right
        self._joins.joined(*self._names)
        kept.joining = other.joining = False
        kept.joined = self._names[0], right
        kept.replace(asker, right)
        old, asker.leg = asker.leg, None
        if old is not None:
            old.hang_up()
        inner = other.inside
        # The other bridge has lost its outer side to this one: what is left of it ends.
        other.replace(right, Side(other, inside=False))
        right.bridge = kept
        other.dissolve()
        inner.hang_up()

    def _open_up(self, offer: bytes) -> None:
        """Offer the first one the session that nobody holds any more, and the other one what it makes of that."""
        left, right = self._left, self._right

        def answered(status: int, answer: bytes | None) -> None:
            if status >= 300 or answer is None or right.leg is None:
                return
            left.heard, left.told, right.told = answer, offer, answer
            right.on_changed = taken
            right.leg.reoffer(answer)

        def taken(status: int, answer: bytes | None) -> None:
            if status < 300 and answer is not None:
                right.heard = answer

        left.on_changed = answered
        if left.leg is not None:
            left.leg.reoffer(offer)

    def _fail(self) -> None:
        self._over = True
        self._right.relay = self._place
        if self._asker.relay is not None:
            self._asker.relay.taken(outside=False)
        if not self._begun:
            return
        if self._asker.leg is not None:
            self._asker.leg.transfer_progress(500)
        self._joins.not_joined(*self._names)
        for bridge in (self._kept, self._other):
            bridge.joining = False
            if bridge.inside.leg is None:
                bridge.side_ended(bridge.inside, "local", 0)


def take_place(bridge: Bridge, leg: Leg) -> Side:
    """A call with Replaces takes the place of the inner side of a trunk's call (RFC 3891).

    Args:
        bridge: the call that it names.
        leg: the call that came in.

    Returns:
        The side that it will be.

    Raises:
        CallRefused: it cannot be now.
    """
    outside = bridge.outside
    if bridge.busy or not bridge.answered_once or bridge.over or outside.leg is None or not leg.offer:
        raise CallRefused("the call that is to be replaced is over, or another session is being agreed on")
    side = Side(bridge, inside=True)
    side.relay = bridge.inside.relay
    side.leg, side.heard = leg, side.relayed(leg.offer)
    leg.listen(side)

    def agreed(status: int, answer: bytes | None) -> None:
        if status >= 300 or answer is None:
            leg.refuse(488, "")
            return
        old = bridge.inside
        old.leg = None
        bridge.replace(old, side)
        side.told = answer
        outside.heard, outside.told = answer, side.heard
        # The user agent ends the call whose place it takes.
        leg.answer(answer)

    outside.on_changed = agreed
    outside.leg.reoffer(side.heard)
    return side
