"""Transfers make one call of several dialogs: which INVITE a REFER led to, and what then becomes of the records.

A REFER within a call (RFC 3515) is remembered until the INVITE that it asks for comes by: a blind one is known by who
was sent and what he dials, an attended one by the dialog in its Replaces (RFC 3891). Once that INVITE is answered, the
record of the call that was transferred goes on in it, and takes in that of the call in which somebody was consulted. A
call that ends meanwhile waits for that with its record, which is on disk as an open call all the time. Where no INVITE
comes, each call has a record of its own.

Two calls of trunks that a phone brings together are joined by the trunks' user agent, which says so (`joined`): nothing
of them comes by here then, and their one record is open until it says that they are over (`parted`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edge_agent.ports import CallEnd, CallJournal, OpenCall
from edge_agent.sip.message import BadMessage, Flow, Message, NameAddr, Uri
from edge_agent.sip.message.name_addr import parse_params
from edge_agent.sip.message.uri import unescape

if TYPE_CHECKING:
    from edge_agent.sip.proxy.calls import Calls, LiveCall

SECONDS: Final = 32.0
"""How long the INVITE that a REFER asks for may take to come by: as long as any transaction (RFC 3261 §17.1.2.2)."""
MOST: Final = 1_000
"""Transfers that wait for their INVITE; the oldest is given up."""

Dialog = tuple[bytes, bytes, bytes]
"""Call-ID and both tags, in the order of their bytes."""
_Key = Dialog | tuple[str, str, str]
"""What the INVITE is known by: the dialog that it replaces; or the host and the user of the phone that was sent, and
what it dials."""


@dataclass(frozen=True, slots=True)
class Talker:
    """One end of a dialog.

    Args:
        user_id: of the site; None: it is outside.
        name: for people.
    """

    user_id: str | None
    name: str


class Transfer:
    """A call that somebody passes on.

    No dataclass: compiled, one asks for the class of a call, whose module has not run yet when it imports this one.

    Args:
        call: whose record goes on.
        who: passes it on, for people.
        until: when it is too late for the INVITE; seconds, monotonic.
        key: what the INVITE is known by; None: it is here.
        consulted: the call in which somebody was asked first, and who that was; None: nobody was.
    """

    __slots__ = ("accepted", "call", "consulted", "ended", "key", "until", "who")

    def __init__(
        self,
        call: LiveCall,
        who: str,
        until: float,
        key: _Key | None = None,
        consulted: tuple[LiveCall, str] | None = None,
    ) -> None:
        self.call = call
        self.who = who
        self.until = until
        self.key = key
        self.consulted = consulted
        self.accepted = False
        """Whether the phone that was sent said that it goes there."""
        self.ended: list[tuple[LiveCall, CallEnd]] = []
        """Calls of it that are over while it is not decided."""

    @property
    def calls(self) -> tuple[LiveCall, ...]:
        """Those whose records it would make one."""
        return (self.call,) if self.consulted is None else (self.call, self.consulted[0])


def replaced_dialog(value: bytes) -> Dialog | None:
    """The dialog that a Replaces names (RFC 3891 §6.1); None: it names none."""
    call_id, semicolon, rest = value.partition(b";")
    try:
        params = parse_params(semicolon + rest, "Replaces")
    except BadMessage:
        return None
    to_tag, from_tag = params.get(b"to-tag"), params.get(b"from-tag")
    if not to_tag or not from_tag or not call_id.strip():
        return None
    return call_id.strip(), min(to_tag, from_tag), max(to_tag, from_tag)


def asked_for(request: Message) -> tuple[Uri, Dialog | None] | None:
    """Whom a REFER asks to call, and which dialog that replaces; None: it asks for something else, or is malformed."""
    values = request.all(b"refer-to")
    if len(values) != 1:
        return None
    try:
        target = NameAddr.parse(values[0], "Refer-To").uri
    except BadMessage:
        return None
    if not target.is_sip or (target.params.get(b"method") or b"INVITE").upper() != b"INVITE":
        return None
    replaces = None
    for one in target.headers.split(b"&"):
        name, _, value = one.partition(b"=")
        if unescape(name).lower() == b"replaces":
            # The last one counts, as for the trunks' user agent.
            replaces = unescape(value)
    if replaces is None:
        return target, None
    dialog = replaced_dialog(replaces)
    return (target, dialog) if dialog is not None else None


class Transfers:
    """Knows which calls are being transferred.

    Args:
        calls: in progress.
        journal: keeps their records.
    """

    def __init__(self, calls: Calls, journal: CallJournal) -> None:
        self._calls = calls
        self._journal = journal
        self.most = MOST
        self._waiting: dict[_Key, Transfer] = {}
        self._joined: dict[Dialog, tuple[LiveCall, str, str]] = {}
        """By the dialogs that stand for two joined calls: that whose record goes on, and who their outer ends are."""

    # -- what comes by

    def referred(self, request: Message, call: LiveCall, flow: Flow, now: float) -> Transfer | None:
        """A REFER passes within a call.

        Args:
            request: let through.
            call: which.
            flow: the way to the phone that is sent.
            now: seconds, monotonic.

        Returns:
            The transfer, to be told when the REFER is accepted; None: it is about no call that is known.
        """
        asked = asked_for(request)
        if asked is None or not _may_go_on(call):
            return None
        target, dialog = asked
        sender, sent = call.talkers(request.from_tag)
        until = now + SECONDS
        key: _Key = dialog or (flow.host, sent.user_id or "", target.dialled)
        if dialog is None:
            transfer = Transfer(call, sender.name, until, key)
        else:
            other = self._calls.named(dialog)
            if other is None or other is call or not _may_go_on(other):
                return None
            transfer = _attended(call, other, sender, until, dialog)
        for one_call in transfer.calls:
            if one_call.passing is not None:
                self._give_up(one_call.passing)
            one_call.passing = transfer
        if (earlier := self._waiting.get(key)) is not None:
            self._give_up(earlier)
        while len(self._waiting) >= self.most:
            self._give_up(next(iter(self._waiting.values())))
        self._waiting[key] = transfer
        return transfer

    def led_to(self, request: Message, user_id: str | None, dialled: str, now: float) -> Transfer | None:
        """The transfer that an INVITE was asked for by; None: nobody asked for it.

        Args:
            request: a new INVITE, let in.
            user_id: who sent it; None: somebody outside.
            dialled: whom it asks for.
            now: seconds, monotonic.
        """
        if not self._waiting:
            return None
        key: _Key | None = (request.flow.host, user_id or "", dialled)
        if (value := request.get(b"replaces")) is not None:
            key = replaced_dialog(value)
        transfer = self._waiting.get(key) if key is not None else None
        return transfer if transfer is not None and transfer.accepted and transfer.until > now else None

    def of_trunk(self, call: LiveCall, who: str) -> Transfer | None:
        """The transfer that the trunks' user agent does of this call; None: it cannot be, now."""
        if not _may_go_on(call):
            return None
        return call.passing if call.passing is not None else Transfer(call, who, 0.0)

    def placed(self, call: LiveCall, transfer: Transfer) -> None:
        """A call is opened that a transfer led to."""
        if transfer.key is not None:
            self._waiting.pop(transfer.key, None)
            transfer.key = None
        call.passes = transfer
        for one in transfer.calls:
            one.passing = transfer

    # -- what the trunks' user agent does by itself

    def joined(self, kept: Dialog, other: Dialog) -> None:
        """See `edge_agent.sip.trunks.Joins`."""
        call, second = self._both(kept, other)
        if call is None or second is None or call is second or call.handed_on or second.handed_on:
            return
        sender, ends = call.talkers(kept[2])[0], (call.talkers(kept[2])[1].name, second.talkers(other[2])[1].name)
        transfer = call.passing
        if transfer is None or set(transfer.calls) != {call, second}:
            for earlier in (call.passing, second.passing):
                if earlier is not None:
                    self._give_up(earlier)
            transfer = _attended(call, second, sender, 0.0, None)
        if transfer.key is not None:
            self._waiting.pop(transfer.key, None)
        first = transfer.call
        for one in transfer.calls:
            one.passing, one.handed_on = None, True
        if not first.transferred and first.opened.answered_at is not None:
            first.told(f"answered: {first.called.name} took the call", first.opened.answered_at)
        if transfer.consulted is not None:
            consulted, to = transfer.consulted
            first.told(f"consulted: {transfer.who} asked {to} first", consulted.opened.started_at)
            first.told(f"transferred: {transfer.who} passed the call on to {to}", self._calls.moment())
            self._journal.joined(first.opened, consulted.opened.call_id)
        self._joined[kept] = first, *ends

    def not_joined(self, kept: Dialog, other: Dialog) -> None:
        """See `edge_agent.sip.trunks.Joins`."""
        call, second = self._both(kept, other)
        transfer = call.passing if call is not None else None
        if transfer is None or second not in transfer.calls:
            return
        transfer.call.told(f"transfer_failed: {transfer.who} could not bring the two calls together")
        transfer.accepted = False
        self._give_up(transfer)

    def _both(self, kept: Dialog, other: Dialog) -> tuple[LiveCall | None, LiveCall | None]:
        """The calls of two dialogs, also where whoever passed them on did not wait for it."""
        found = {dialog: self._calls.named(dialog) for dialog in (kept, other)}
        low, high = sorted(other[1:])
        waiting = self._waiting.get((other[0], low, high))
        for call in waiting.calls if waiting is not None else ():
            for dialog in (kept, other):
                if call.key[0] == dialog[0] and found[dialog] is None:
                    found[dialog] = call
        return found[kept], found[other]

    def parted(self, kept: Dialog, by_other: bool) -> None:
        """See `edge_agent.sip.trunks.Joins`."""
        found = self._joined.pop(kept, None)
        if found is None:
            return
        first, one, another = found
        first.told(f"hung_up: {another if by_other else one} ended the call", self._calls.moment())
        self._journal.closed(first.opened, CallEnd(self._calls.moment(), "answered", 200))

    def joined_calls(self) -> Iterator[OpenCall]:
        """Calls that go on between two ends outside, the newest first."""
        return (first.opened for first, _, _ in reversed(self._joined.values()))

    # -- what becomes of it

    def answered(self, call: LiveCall) -> None:
        """A call was answered: if a transfer led to it, the record of the call that was transferred is its own now."""
        transfer, call.passes = call.passes, None
        if transfer is None:
            return
        first = transfer.call
        for one in transfer.calls:
            one.passing, one.handed_on = None, True
        mine, call.opened = call.opened, first.opened
        # Of the dialog that is left it stays known who was in it.
        first.opened = replace(first.opened)
        opened, who = call.opened, transfer.who or "somebody"
        if not first.transferred and opened.answered_at is not None:
            call.told(f"answered: {first.called.name} took the call", opened.answered_at)
        to = mine.callee
        if transfer.consulted is not None:
            consulted, to = transfer.consulted
            call.told(f"consulted: {who} asked {to} first", consulted.opened.started_at)
        call.told(f"transferred: {who} passed the call on to {to}", self._calls.moment())
        call.transferred = True
        call.tell(mine.reasons)
        reached = mine.callee_user_id
        if reached is not None and reached == opened.caller_user_id:
            # Whoever was consulted called back to the end that began it all.
            reached = mine.caller_user_id
        opened.callee_user_id = reached or opened.callee_user_id
        if transfer.consulted is not None:
            self._journal.joined(opened, transfer.consulted[0].opened.call_id)

    def keeps(self, call: LiveCall, end: CallEnd) -> bool:
        """A call is over; whether it has no record of its own, or not yet."""
        if call.passes is not None:
            transfer, call.passes = call.passes, None
            first = transfer.call
            first.tell(call.opened.reasons)  # such as whose code let it out
            failed = f"transfer_failed: {transfer.who or 'somebody'} did not reach {call.opened.callee}"
            first.told(failed, self._calls.moment())
            self._undo(transfer, end)
            return True
        if call.handed_on:
            return True
        transfer_of = call.passing
        if transfer_of is None:
            return False
        if transfer_of.key is not None and not transfer_of.accepted:
            self._give_up(transfer_of)
            return False
        transfer_of.ended.append((call, end))
        return True

    def sweep(self, now: float) -> None:
        """Give up what waited long enough; to be called every few seconds."""
        for transfer in [one for one in self._waiting.values() if one.until <= now]:
            self._give_up(transfer)

    def _give_up(self, transfer: Transfer) -> None:
        """No INVITE came by: the calls have a record each."""
        if transfer.key is not None:
            self._waiting.pop(transfer.key, None)
            transfer.key = None
        if transfer.accepted:
            transfer.call.told(f"transfer_unseen: {transfer.who} passed the call on, and no call of it came by here")
        self._undo(transfer, None)

    def _undo(self, transfer: Transfer, end: CallEnd | None) -> None:
        """The calls go on as they were, or are over by now; that which was to be transferred was over at `end`."""
        over = {call for call, _ in transfer.ended}
        for call in transfer.calls:
            call.passing = None
            if call not in over:
                self._calls.keep(call)
        for call, own in transfer.ended:
            last = end is not None and call is transfer.call
            self._journal.closed(call.opened, replace(own, ended_at=end.ended_at) if last and end is not None else own)


def _attended(call: LiveCall, other: LiveCall, sender: Talker, until: float, key: _Key | None) -> Transfer:
    """The transfer that makes one of two calls: the record of the older one goes on."""
    first, second = sorted((call, other), key=lambda one: one.opened.started_at)
    one, another = second.calling, second.called
    mine = one == sender or (sender.user_id is not None and one.user_id == sender.user_id)
    return Transfer(first, sender.name, until, key, (second, another.name if mine else one.name))


def _may_go_on(call: LiveCall) -> bool:
    """Whether a call is answered, and no transfer of it under way."""
    if call.opened.answered_at is None or call.handed_on or call.passes is not None:
        return False
    return call.passing is None or call.passing.key is not None
