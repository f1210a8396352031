"""Calls in progress and the record that each ends in (CDR).

A call is opened when its INVITE is let through, and closed when it is refused or its BYE passes; one whose BYE never
comes is closed after a maximum, so that nothing grows without bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from contract.dialplan import Reason
from contract.sync.events import Disposition
from edge_agent.clock import Clock
from edge_agent.ports import CallEnd, CallJournal, OpenCall
from edge_agent.sip.message import Flow, Limits, Message
from edge_agent.sip.proxy.hunting import Hunting
from edge_agent.sip.proxy.parties import CallParties, Parties
from edge_agent.tokens import Tokens

if TYPE_CHECKING:
    from edge_agent.sip.proxy.forking import Target

_BUSY: Final = frozenset({486, 600, 603})
"""A person who declines is busy for the caller."""
_NO_ANSWER: Final = frozenset({408, 480})
_MAX_REASONS: Final = 50

_LAPSED: Final = "session_lapsed: nobody refreshed the session in time"

CallKey = tuple[bytes, bytes]


class Ringing(Protocol):
    """What rings for a call."""

    @property
    def request(self) -> Message:
        """Its INVITE, as it came."""
        ...

    def join(self, targets: Sequence[Target], now: float) -> bool:
        """Ring at more places, besides those that ring now; False: it is too late for that."""
        ...

    def taken(self, now: float) -> None:
        """Somebody else has the caller: stop ringing, and let the caller's INVITE end."""
        ...


class LiveCall:
    """One call, from its INVITE to its end."""

    __slots__ = (
        "_calls",
        "callee_flow",
        "caller_flow",
        "fork",
        "key",
        "lapses",
        "opened",
        "parties",
        "ringing",
        "until",
        "waits",
    )

    def __init__(
        self, calls: Calls, key: CallKey, opened: OpenCall, parties: CallParties, until: float, caller_flow: Flow
    ) -> None:
        self._calls = calls
        self.parties = parties
        self.until = until
        """When it is closed even without a BYE; seconds, monotonic."""
        self.key = key
        """Call-ID and the caller's tag."""
        self.opened = opened
        self.ringing = False
        """Whether somebody's phone rang."""
        self.lapses: float | None = None
        """When its session is over unless it is refreshed; seconds, monotonic; None: it does not lapse."""
        self.waits = True
        """Whether it counts as one that nobody answered yet."""
        self.caller_flow = caller_flow
        """Where the call came from."""
        self.callee_flow: Flow | None = None
        """Whose 2xx went up."""
        self.fork: Ringing | None = None
        """What rings; None once that is decided."""

    def told(self, text: str) -> None:
        """One more sentence of its story."""
        opened = self.opened
        opened.reasons = (*opened.reasons, printable(text, 255))[:_MAX_REASONS]

    def picked_up(self, user_id: str, who: str, request: Message, response: Message, flow: Flow, now: float) -> None:
        """Another user's INVITE took the caller, who answered it: the call goes on as that one.

        Args:
            user_id: who picked up.
            who: his user name.
            request: his INVITE.
            response: the caller's 2xx.
            flow: where the INVITE came from.
            now: seconds, monotonic.
        """
        if self.opened.answered_at is not None:
            return
        self.told(f"picked_up: {who} took the call")
        ids = (request.call_id, request.from_tag)
        self.parties.picked_up(user_id, ids, response.to_tag)
        self.callee_flow = flow
        self.opened.callee_user_id = user_id
        self.opened.answered_at = self._calls.moment()
        self._calls.settled(self)
        self._calls.moved(self, ids)
        self._calls.keep(self)
        if self.fork is not None:
            self.fork.taken(now)

    def decided(self, reasons: tuple[Reason, ...], callee_user_id: str | None) -> None:
        """The dial plan said where the call goes next."""
        self.parties.moved_on()
        texts = tuple([printable(f"{reason.code}: {reason.text}", 255) for reason in reasons])
        opened = self.opened
        opened.reasons = (opened.reasons + texts)[:_MAX_REASONS]
        opened.callee_user_id = callee_user_id or opened.callee_user_id

    def rang(self, user_id: str | None, tag: bytes) -> None:
        """A phone rings, and this user's if it is one of the site."""
        self.ringing = True
        self.parties.rang(user_id, tag)

    def answered(self, flow: Flow, user_id: str | None, tag: bytes) -> None:
        """A 2xx from there goes up; further ones of a fork change nothing."""
        if self.opened.answered_at is None:
            self.parties.answered(user_id, tag)
            if user_id is None:
                self._calls.not_reached(self.opened)
            self.callee_flow = flow
            self.opened.callee_user_id = user_id or self.opened.callee_user_id
            self._calls.settled(self)
            self.opened.answered_at = self._calls.moment()
            self._calls.keep(self)

    def refreshed(self, seconds: int, now: float) -> None:
        """The session is to be refreshed within so many seconds from now (RFC 4028 §8.2); 0: it need not be."""
        self.lapses = now + seconds if seconds else None

    def refused(self, status: int, cancelled: bool) -> None:
        """The INVITE ended without a 2xx; of a call that somebody picked up, it is not what ends it."""
        if self.opened.answered_at is not None:
            return
        disposition: Disposition = "failed"
        if cancelled:
            disposition = "cancelled"
        elif status in _BUSY:
            disposition = "busy"
        elif status in _NO_ANSWER and self.ringing:
            disposition = "no_answer"
        self._calls.close(self, disposition, status)

    def ended(self) -> None:
        """The BYE passed."""
        if self.opened.answered_at is not None:
            self._calls.close(self, "answered", 200)


class Calls:
    """Every call in progress.

    Args:
        journal: keeps open calls and their records.
        tokens: names records.
        clock: for the moments in records.
        limits: `open_calls` and `call_seconds`.
        hunting: told who is free again.
    """

    def __init__(self, journal: CallJournal, tokens: Tokens, clock: Clock, limits: Limits, hunting: Hunting) -> None:
        self._journal = journal
        self._tokens = tokens
        self._clock = clock
        self.limits = limits
        self._hunting = hunting
        self._live: dict[CallKey, LiveCall] = {}
        self.parties = Parties()
        """Who is in which call."""
        self._unanswered: dict[str, int] = {}
        """By user: calls of his that nobody answered yet."""

    def moment(self) -> datetime:
        """Now, in UTC."""
        return self._clock.now()

    def open(
        self,
        request: Message,
        caller: str,
        callee: str,
        caller_user_id: str | None,
        reasons: tuple[Reason, ...],
        callee_user_id: str | None,
        private: bool,
        now: float,
    ) -> LiveCall:
        """A call begins.

        Args:
            request: its INVITE.
            caller: user part of From.
            callee: what was dialled.
            caller_user_id: the authenticated user.
            reasons: why it goes where it goes first.
            callee_user_id: whom it goes to first, when that is one user.
            private: whether others are not to see who calls.
            now: seconds, monotonic.
        """
        key = (request.call_id, request.from_tag)
        while len(self._live) >= self.limits.open_calls:
            self.abandon(next(iter(self._live.values())))
        opened = OpenCall(
            call_id=self._tokens.token(),
            sip_call_id=printable(key[0].decode("utf-8", "replace"), 1024),
            caller=printable(caller, 255),
            callee=printable(callee, 255),
            caller_user_id=caller_user_id,
            callee_user_id=None,
            started_at=self.moment(),
        )
        if (old := self._live.get(key)) is not None:
            # The same Call-ID and tag again without a new dialog: a caller that starts over.
            self.abandon(old)
        shown = None if private else opened.caller
        parties = CallParties(self.parties, key, opened.call_id, caller_user_id, shown, opened.callee)
        call = LiveCall(self, key, opened, parties, now + self.limits.call_seconds, request.flow)
        call.decided(reasons, callee_user_id)
        self._live[key] = call
        if caller_user_id is not None:
            self._unanswered[caller_user_id] = self._unanswered.get(caller_user_id, 0) + 1
        self._journal.opened(call.opened)
        return call

    def has_too_many(self, user_id: str | None) -> bool:
        """Whether so many calls of a user wait for an answer that he may not place another now."""
        return user_id is not None and self._unanswered.get(user_id, 0) >= self.limits.invites_per_user

    def settled(self, call: LiveCall) -> None:
        """A call is answered, or is over without that; it no longer waits."""
        user_id = call.opened.caller_user_id
        if user_id is None or not call.waits:
            return
        call.waits = False
        left = self._unanswered[user_id] - 1
        if left:
            self._unanswered[user_id] = left
        else:
            del self._unanswered[user_id]

    def at(self, key: CallKey) -> LiveCall | None:
        """The call whose INVITE has this Call-ID and From tag."""
        return self._live.get(key)

    def moved(self, call: LiveCall, key: CallKey) -> None:
        """A call goes on in another dialog."""
        if self._live.get(call.key) is call and key not in self._live:
            del self._live[call.key]
            call.key = key
            self._live[key] = call

    def of_dialog(self, request: Message) -> LiveCall | None:
        """The call that a request within a dialog belongs to, whichever side sent it."""
        call_id = request.call_id
        return self._live.get((call_id, request.from_tag)) or self._live.get((call_id, request.to_tag))

    def has(self, call_id: bytes) -> bool:
        """Whether a call with this Call-ID is in progress; looks through all of them."""
        return any(key[0] == call_id for key in self._live)

    def hung_up(self, bye: Message) -> None:
        """A BYE passes, of a call in progress or of one from before a restart."""
        call = self.of_dialog(bye)
        if call is not None:
            call.ended()
        else:
            self.parties.over(bye.call_id, bye.from_tag, bye.to_tag)

    def keep(self, call: LiveCall) -> None:
        """More became known of a call."""
        if self._live.get(call.key) is call:
            self._journal.opened(call.opened)

    def close(self, call: LiveCall, disposition: Disposition, status: int, interrupted: bool = False) -> None:
        """Write the record of a call, once."""
        if self._live.get(call.key) is not call:
            return
        del self._live[call.key]
        call.parties.ended()
        if call.opened.answered_at is None and (call.ringing or disposition == "busy"):
            self.not_reached(call.opened)
        self.settled(call)
        moment, opened = self.moment(), call.opened
        if opened.answered_at is not None:
            self._hunting.call_ended((opened.caller_user_id, opened.callee_user_id), moment.timestamp())
        self._journal.closed(opened, CallEnd(moment, disposition, status, interrupted))

    def not_reached(self, opened: OpenCall) -> None:
        """Somebody else than whom a user called answered, or nobody."""
        if opened.caller_user_id is not None and opened.callee_user_id is not None:
            self.parties.unreached[opened.caller_user_id] = opened.callee_user_id

    def abandon(self, call: LiveCall) -> None:
        """Close a call of which nothing was heard."""
        answered = call.opened.answered_at is not None
        self.close(call, "answered" if answered else "failed", 200 if answered else 408, interrupted=True)

    def sweep(self, now: float) -> None:
        """Close calls whose session lapsed (RFC 4028 §10), and those that lasted longer than any may.

        Their phones are left alone: a proxy hangs nobody up, and what they still send goes its way. To be called
        every few seconds.
        """
        self.parties.sweep(now)
        for call in [one for one in self._live.values() if one.lapses is not None and one.lapses <= now]:
            call.opened.reasons = (*call.opened.reasons, _LAPSED)[-_MAX_REASONS:]
            self.abandon(call)
        while self._live and (oldest := next(iter(self._live.values()))).until <= now:
            self.abandon(oldest)

    def newest(self, most: int) -> list[OpenCall]:
        """Calls in progress, the newest first, no more than `most`."""
        return [call.opened for call in islice(reversed(self._live.values()), most)]

    def busy(self) -> set[str]:
        """`address:port` of everybody in a call; looks through all of them, so not to be asked for each call."""
        flows = (flow for call in self._live.values() for flow in (call.caller_flow, call.callee_flow))
        return {flow.source for flow in flows if flow is not None}

    def __len__(self) -> int:
        return len(self._live)


def printable(text: str, length: int) -> str:
    """One line for people, no longer than `length` characters."""
    if text.isprintable():
        return text[:length]
    return "".join(c for c in text if c.isprintable())[:length]
