"""Calls in progress and the record that each ends in (CDR).

A call is opened when its INVITE is let through, and closed when it is refused or its BYE passes; one whose BYE never
comes is closed after a maximum, so that nothing grows without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol

from contract.dialplan import Reason
from contract.snapshot import User
from contract.sync.events import Disposition
from edge_agent.clock import Clock
from edge_agent.ports import CallEnd, CallJournal, OpenCall
from edge_agent.sip.message import Flow, Limits, Message, NameAddr, SipError
from edge_agent.sip.proxy.appearances import Appearances
from edge_agent.sip.proxy.hunting import Hunting
from edge_agent.sip.proxy.parties import CallParties, Parties, Party
from edge_agent.sip.proxy.transfers import Talker, Transfer, Transfers
from edge_agent.tokens import Tokens

if TYPE_CHECKING:
    from edge_agent.sip.proxy.target import Target

_BUSY: Final = frozenset({486, 600, 603})
"""A person who declines is busy for the caller."""
_NO_ANSWER: Final = frozenset({408, 480})
_MAX_REASONS: Final = 50
_SENTENCE: Final = 255
"""Characters."""
_CALL_ID: Final = 1024
"""Characters of it that a record keeps."""

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

    def lost(self, there: Callable[[Flow], bool], now: float) -> None:
        """Who is there is gone: what it rings is taken back, and no answer of it is waited for."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """One phone of an answered call.

    Args:
        tag: its own.
        contact: its URI; empty: it gave none.
        flow: the way there.
        supported: extensions that it knows, lower case.
    """

    tag: bytes
    contact: bytes
    flow: Flow
    supported: frozenset[bytes]


def end_of(message: Message, flow: Flow, tag: bytes) -> End:
    """The phone that sent a message with its Contact."""
    try:
        contact = NameAddr.parse(message.values(b"contact")[0], "Contact").uri.text
    except (SipError, IndexError):
        contact = b""
    return End(tag, contact, flow, frozenset(one.lower() for one in message.values(b"supported")))


class LiveCall:
    """One call, from its INVITE to its end."""

    __slots__ = (
        "_calls",
        "called",
        "callee_flow",
        "caller_flow",
        "caller_tag",
        "calling",
        "ends",
        "fork",
        "handed_on",
        "key",
        "lapses",
        "opened",
        "parties",
        "passes",
        "passing",
        "ringing",
        "service_id",
        "transferred",
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
        """Call-ID and the tag of whoever sent the INVITE: the caller, or whoever picked the call up."""
        self.caller_tag = key[1]
        """The caller's own, whoever sent it."""
        self.opened = opened
        self.service_id = ""
        """Of the voice service that it is at, one that has a number of its own; empty: at none."""
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
        self.ends: tuple[End, ...] = ()
        """How the phones of an answered call are reached, where a shared line is in it."""
        self.calling = Talker(opened.caller_user_id, opened.caller)
        """Who calls in this dialog, which may be another than the record's caller."""
        self.called = Talker(None, opened.callee)
        """Who answered in this dialog."""
        self.passing: Transfer | None = None
        """The transfer that this call is subject of."""
        self.passes: Transfer | None = None
        """The transfer that led to this call, until it is answered: it has no record of its own."""
        self.handed_on = False
        """Whether its record goes on in another call."""
        self.transferred = False
        """Whether the record of another call goes on in this one."""

    def talkers(self, tag: bytes) -> tuple[Talker, Talker]:
        """Who has this tag, and the other end."""
        return (self.calling, self.called) if tag == self.caller_tag else (self.called, self.calling)

    def told(self, text: str, at: datetime | None = None) -> None:
        """One more sentence of its story, and when that was."""
        when = f" ({at.isoformat(timespec='seconds').replace('+00:00', 'Z')})" if at is not None else ""
        self.tell((printable(text, _SENTENCE - len(when)) + when,))

    def tell(self, sentences: tuple[str, ...]) -> None:
        """More sentences of its story, of at most 255 characters each."""
        self.opened.reasons = (self.opened.reasons + sentences)[:_MAX_REASONS]

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
        self.caller_tag = response.to_tag
        self.parties.picked_up(user_id, ids, response.to_tag)
        self.callee_flow = flow
        self.opened.callee_user_id = user_id
        self.opened.answered_at = self._calls.moment()
        self.called = Talker(user_id, who)
        self._calls.settled(self)
        self._calls.transfers.answered(self)
        self._calls.moved(self, ids)
        self._calls.keep(self)
        if self.fork is not None:
            self.fork.taken(now)

    def taken_up(self, party: Party, ends: tuple[End, End], call_id: bytes) -> None:
        """Another phone of a shared line has the call instead of the one that had it.

        Args:
            party: of the line.
            ends: of the dialog that takes the place of the one before: that phone, and the other end.
            call_id: of that dialog.
        """
        self.told("taken_up: another phone of the line took the call")
        mine, other = ends
        for one in self.parties.ends:
            one.call_id = call_id
            one.local_tag, one.remote_tag = (mine.tag, other.tag) if one is party else (other.tag, mine.tag)
        party.held = party.exclusive = False
        self.ends = ends
        caller, callee = ends if party.direction == "initiator" else ends[::-1]
        self.caller_flow, self.callee_flow = caller.flow, callee.flow
        self.caller_tag = caller.tag
        self._calls.moved(self, (call_id, caller.tag))
        self._calls.keep(self)
        self._calls.parties.changed(party)

    def decided(self, reasons: tuple[Reason, ...], callee_user_id: str | None, service_id: str = "") -> None:
        """The dial plan said where the call goes next."""
        self.parties.moved_on()
        self.service_id = service_id
        self.tell(tuple([printable(f"{reason.code}: {reason.text}", _SENTENCE) for reason in reasons]))
        opened = self.opened
        opened.callee_user_id = callee_user_id or opened.callee_user_id

    def rang(self, user_id: str | None, tag: bytes) -> None:
        """A phone rings, and this user's if it is one of the site."""
        self.ringing = True
        self.parties.rang(user_id, tag)

    def answered(self, flow: Flow, user_id: str | None, request: Message, response: Message) -> None:
        """A 2xx from there goes up; further ones of a fork change nothing.

        Args:
            flow: where it came from.
            user_id: whose phone that is; None: it is outside.
            request: the INVITE as it came.
            response: the 2xx.
        """
        if self.opened.answered_at is None:
            self.parties.answered(user_id, response.to_tag)
            if any(one.appearance for one in self.parties.ends):
                self.ends = (end_of(request, request.flow, request.from_tag), end_of(response, flow, response.to_tag))
            if user_id is None:
                self._calls.not_reached(self.opened)
            self.callee_flow = flow
            self.opened.callee_user_id = user_id or self.opened.callee_user_id
            self._calls.settled(self)
            self.opened.answered_at = self._calls.moment()
            self.called = Talker(user_id, self._calls.name_of(user_id) or self.opened.callee)
            self._calls.transfers.answered(self)
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


def _nobody(call: LiveCall) -> None:
    del call


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
        self.closed: Callable[[LiveCall], None] = _nobody
        """Told of every call that is over."""
        self._live: dict[CallKey, LiveCall] = {}
        self.parties = Parties(Appearances())
        """Who is in which call."""
        self.transfers = Transfers(self, journal)
        """Which of them are being transferred."""
        self.users: Mapping[str, User] = {}
        """Of the site, by id."""
        self._unanswered: dict[str, int] = {}
        """By user: calls of his that nobody answered yet."""

    def moment(self) -> datetime:
        """Now, in UTC."""
        return self._clock.now()

    def name_of(self, user_id: str | None) -> str:
        """The user name; empty: it is no user of the site."""
        user = self.users.get(user_id) if user_id is not None else None
        return user.username if user is not None else ""

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
        transfer: Transfer | None = None,
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
            transfer: what led to it; None: no transfer did.
        """
        key = (request.call_id, request.from_tag)
        while len(self._live) >= self.limits.open_calls:
            self.abandon(next(iter(self._live.values())))
        opened = OpenCall(
            call_id=self._tokens.token(),
            sip_call_id=printable(key[0].decode("utf-8", "replace"), _CALL_ID),
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
        if transfer is not None:
            self.transfers.placed(call, transfer)
        self.keep(call)
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

    def named(self, dialog: tuple[bytes, bytes, bytes] | None) -> LiveCall | None:
        """The call with this Call-ID and one of these tags."""
        if dialog is None:
            return None
        call_id, *tags = dialog
        return next((call for tag in tags if (call := self._live.get((call_id, tag))) is not None), None)

    def of_dialog(self, request: Message) -> LiveCall | None:
        """The call that a request within a dialog belongs to, whichever side sent it."""
        call_id = request.call_id
        return self._live.get((call_id, request.from_tag)) or self._live.get((call_id, request.to_tag))

    def has(self, call_id: bytes) -> bool:
        """Whether a call with this Call-ID is in progress; looks through all of them."""
        return any(key[0] == call_id for key in self._live)

    def answered(self, call_id: bytes) -> LiveCall | None:
        """The answered call with this Call-ID; looks through all of them."""
        found = (call for key, call in self._live.items() if key[0] == call_id)
        return next((call for call in found if call.opened.answered_at is not None), None)

    def users_in(self, call_id: bytes) -> frozenset[str]:
        """Ids of the users who are in calls with this Call-ID, as far as they are known; looks through all of them."""
        found = self._all_of(call_id)
        ids = {one.called.user_id or one.opened.callee_user_id for one in found}
        return frozenset(user for user in ids.union(one.calling.user_id for one in found) if user)

    def tell(self, call_id: bytes, sentence: str) -> None:
        """A sentence for the record of the call with this Call-ID, with the moment; looks through all of them."""
        for call in self._all_of(call_id):
            call.told(sentence, self.moment())
            self.keep(call)

    def _all_of(self, call_id: bytes) -> list[LiveCall]:
        """Calls that have this Call-ID, or had it when their record began."""
        began = printable(call_id.decode("utf-8", "replace"), _CALL_ID)
        found = ((key[0], call) for key, call in self._live.items() if not call.handed_on)
        return [call for now, call in found if now == call_id or call.opened.sip_call_id == began]

    def hung_up(self, bye: Message) -> None:
        """A BYE passes, of a call in progress or of one from before a restart."""
        call = self.of_dialog(bye)
        if call is not None:
            if call.transferred and not call.handed_on:
                call.told(f"hung_up: {call.talkers(bye.from_tag)[0].name} ended the call", self.moment())
            call.ended()
        else:
            self.parties.over(bye.call_id, bye.from_tag, bye.to_tag)

    def keep(self, call: LiveCall) -> None:
        """More became known of a call."""
        if self._live.get(call.key) is call and call.passes is None and not call.handed_on:
            self._journal.opened(call.opened)

    def close(self, call: LiveCall, disposition: Disposition, status: int, interrupted: bool = False) -> None:
        """Write the record of a call, once."""
        if self._live.get(call.key) is not call:
            return
        del self._live[call.key]
        self.closed(call)
        call.parties.ended()
        if call.opened.answered_at is None and (call.ringing or disposition == "busy"):
            self.not_reached(call.opened)
        self.settled(call)
        moment, opened = self.moment(), call.opened
        if opened.answered_at is not None and not call.handed_on:
            self._hunting.call_ended((call.calling.user_id, call.called.user_id), moment.timestamp())
        end = CallEnd(moment, disposition, status, interrupted)
        if not self.transfers.keeps(call, end):
            self._journal.closed(opened, end)

    def not_reached(self, opened: OpenCall) -> None:
        """Somebody else than whom a user called answered, or nobody."""
        if opened.caller_user_id is not None and opened.callee_user_id is not None:
            self.parties.unreached[opened.caller_user_id] = opened.callee_user_id

    def abandon(self, call: LiveCall) -> None:
        """Close a call of which nothing was heard."""
        answered = call.opened.answered_at is not None
        self.close(call, "answered" if answered else "failed", 200 if answered else 408, interrupted=True)

    def lost(self, there: Callable[[Flow], bool], now: float) -> None:
        """Who is there is gone: calls that it placed or was to answer are not waited for."""
        for call in list(self._live.values()):
            if call.fork is not None:
                call.fork.lost(there, now)

    def sweep(self, now: float) -> None:
        """Close calls whose session lapsed (RFC 4028 §10), and those that lasted longer than any may.

        Their phones are left alone: a proxy hangs nobody up, and what they still send goes its way. To be called
        every few seconds.
        """
        self.parties.sweep(now)
        self.parties.appearances.sweep(now)
        self.transfers.sweep(now)
        for call in [one for one in self._live.values() if one.lapses is not None and one.lapses <= now]:
            call.opened.reasons = (*call.opened.reasons, _LAPSED)[-_MAX_REASONS:]
            self.abandon(call)
        while self._live and (oldest := next(iter(self._live.values()))).until <= now:
            self.abandon(oldest)

    def newest(self, most: int) -> list[OpenCall]:
        """Calls in progress, the newest first, no more than `most`."""
        shown = (one.opened for one in reversed(self._live.values()) if one.passes is None and not one.handed_on)
        return list(islice(chain(self.transfers.joined_calls(), shown), most))

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
