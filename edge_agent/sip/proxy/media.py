"""The media of calls that the proxy lets through, where it has to go through the relay (`edge_agent.sip.relaying`).

Each branch of a fork is a relayed call of its own, with its own ports: early media of two phones never mixes, and what
does not answer gives its ports back. Once a branch has answered, both tags name it, and what either side describes
later (early UPDATE, PRACK, re-INVITE, the ACK of a late offer) is rewritten as the first descriptions were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from contract.snapshot import RecordingRule
from edge_agent.sip.location import Location
from edge_agent.sip.message import Message, NameAddr, SipError, Uri
from edge_agent.sip.relaying import RelayedMedia, RelayPool
from edge_agent.sip.relaying.addresses import numeric
from edge_agent.sip.relaying.descriptions import Stream
from edge_agent.sip.relaying.media import FIRST, SECOND
from edge_agent.sip.relaying.recording import (
    BROWSER,
    NO_ADDRESS,
    NO_PORT,
    MayNotRecord,
    NotRecordable,
    RecordingRules,
)
from edge_agent.sip.relaying.rules import End, MediaRules
from edge_agent.sip.relaying.wish import Wish

if TYPE_CHECKING:
    from edge_agent.sip.proxy.calls import LiveCall
    from edge_agent.sip.proxy.target import Target

_SDP: Final = b"application/sdp"
_WEB: Final = ("ws", "wss")
"""Browsers send media by ICE (RFC 8445) and DTLS only, which goes past any relay."""
Key = tuple[bytes, bytes, bytes]
"""Call-ID, and the tags of both sides."""


class PassingMedia(Protocol):
    """Descriptions of one transaction, on their way through the proxy."""

    def asked(self, request: Message) -> None:
        """The request leaves."""
        ...

    def answered(self, response: Message) -> None:
        """A response passes."""
        ...

    def failed(self) -> None:
        """It ended without a response."""
        ...


class Choosing(Protocol):
    """Says for each branch of a request what its descriptions go through."""

    def towards(self, target: Target, request: Message) -> PassingMedia | None:
        """What those of one branch go through; None: its media goes directly.

        Args:
            target: where it goes.
            request: what goes there.
        """
        ...


class MediaPaths:
    """Relayed media of the proxy's calls.

    Args:
        pool: ports and streams; None: nothing is relayed.
        location: whose phones are where.
        rules: of the site.
        recording: which calls are recorded, and therefore relayed; None: none is.
    """

    def __init__(
        self, pool: RelayPool | None, location: Location, rules: MediaRules, recording: RecordingRules | None = None
    ) -> None:
        self._pool, self._location, self.rules = pool, location, rules
        self.recording = recording or RecordingRules()
        self._paths: dict[Key, _Path] = {}
        self._of_calls: dict[LiveCall, list[_Path]] = {}

    def __len__(self) -> int:
        return len(set(self._paths.values()))

    def offering(
        self,
        request: Message,
        user_id: str | None,
        device_id: str | None,
        service: bool,
        call: LiveCall | None,
        gateway_id: str | None = None,
    ) -> Offering | None:
        """What the branches of an INVITE that starts a call ask whether they are relayed; None: none is.

        Args:
            request: it.
            user_id: who calls.
            device_id: by which phone.
            service: whether a service, gateway or trunk of the site calls.
            call: its record; None: there is none.
            gateway_id: which gateway of the site calls.
        """
        if self._pool is None or not (
            self.recording.records_any or (self.rules.relays and request.flow.transport not in _WEB)
        ):
            return None
        inner = "" if service else _inner(_named_by(request), request.flow.host)
        caller = End(request.flow.host, inner, user_id, device_id, service, gateway_id)
        return Offering(self, self._pool, caller, call, web=request.flow.transport in _WEB)

    def called(self, target: Target, request: Message) -> End:
        """The other end of a call, as far as it is known before it answers."""
        flow = target.flow
        uri = target.uri or request.uri
        binding = self._location.at_contact(uri)
        if target.trusted or flow.connection < 0 or target.route:
            return End(flow.host, service=True, gateway_id=target.gateway_id)
        try:
            named = Uri.parse(uri).address
        except SipError:
            named = ""
        user_id = binding.user_id if binding is not None else target.user_id
        return End(flow.host, _inner(named, flow.host), user_id, binding.device_id if binding is not None else None)

    def within(self, request: Message) -> Choosing | None:
        """What descriptions in a request within a dialog go through; None: the dialog's media is not relayed."""
        if not self._paths:
            return None
        path, side = self._find(request)
        return None if path is None else _Change(path, side, request)

    def acknowledged(self, ack: Message) -> None:
        """The ACK of a 2xx passes, which answers where the 2xx offered."""
        if self._paths:
            path, side = self._find(ack)
            if path is not None:
                path.rewrite(ack, side)

    def hung_up(self, bye: Message) -> None:
        """A BYE passes."""
        if self._paths:
            path, _ = self._find(bye)
            if path is not None:
                path.close()

    def record_wanted(self, request: Message, wanted: bool) -> None:
        """A phone wants its call to be recorded, or no longer, by an INFO within its dialog.

        Raises:
            CallRefused: it may not, or it cannot be.
        """
        if not self.recording.on_demand:
            raise MayNotRecord("nobody has the permission RecordCalls")
        path, side = self._find(request)
        if path is None or not path.recordable:
            raise NotRecordable("the media of this call does not go by our relay")
        path.record_wanted(side, request.flow.host, wanted)

    def call_ended(self, call: LiveCall) -> None:
        """A call is over, by whatever ended it."""
        for path in self._of_calls.pop(call, ()):
            path.close()

    def sweep(self, now: float, longest_seconds: float) -> None:
        """End what has no record that ends it, after as long as a call may last."""
        for path in [one for one in self._paths.values() if one.lapses(now, longest_seconds)]:
            path.close()

    def restate(self) -> None:
        """Tell whoever carries media of everything again; to be called once a second."""
        if self._pool is not None:
            self._pool.restate()

    def figures(self) -> dict[str, int]:
        """Relayed calls now, and what happened since the start."""
        if self._pool is None:
            return {}
        counts = {f"relayed.{name}": count for name, count in sorted(self._pool.counts.items())}
        return {"relayed.now": len(self._pool), **counts}

    def _find(self, request: Message) -> tuple[_Path | None, int]:
        """The path of a dialog, and which side sends: the caller (FIRST), or who is called."""
        call_id, one, other = request.call_id, request.from_tag, request.to_tag
        path = self._paths.get((call_id, one, other))
        if path is not None:
            return path, FIRST
        return self._paths.get((call_id, other, one)), SECOND

    # -- for paths

    def named(self, key: Key, path: _Path) -> None:
        """A dialog is known by both of its tags now."""
        self._paths.setdefault(key, path)

    def belongs(self, path: _Path, call: LiveCall) -> None:
        """A path is of a call, and ends with it."""
        self._of_calls.setdefault(call, []).append(path)

    def forget(self, path: _Path, keys: list[Key], call: LiveCall | None) -> None:
        """A path is over."""
        for key in keys:
            if self._paths.get(key) is path:
                del self._paths[key]
        paths = self._of_calls.get(call) if call is not None else None
        if call is not None and paths is not None and path in paths:
            paths.remove(path)
            if not paths:
                del self._of_calls[call]


class Offering:
    """The caller's side of an INVITE that may go to several phones."""

    __slots__ = ("_call", "_caller", "_paths", "_pool", "_web")

    def __init__(self, paths: MediaPaths, pool: RelayPool, caller: End, call: LiveCall | None, *, web: bool) -> None:
        self._paths, self._pool, self._caller, self._call, self._web = paths, pool, caller, call, web

    def towards(self, target: Target, request: Message) -> PassingMedia | None:
        """See `Choosing`."""
        web = self._web or target.flow.transport in _WEB
        if web and not self._paths.recording.records_any:
            return None
        callee = self._paths.called(target, request)
        rule, wanted = self._recorded(callee)
        missing = BROWSER if web else "" if self._paths.rules.inside else NO_ADDRESS
        if missing:
            return _Missed(self._paths, rule, self._call, missing) if rule is not None else None
        recordable = rule is not None or wanted
        if not recordable and not self._paths.rules.wanted(self._caller, callee):
            return None
        key = (request.call_id, request.from_tag)
        return _Path(self._paths, self._pool, (self._caller, callee), key, self._call, rule, recordable=recordable)

    def _recorded(self, callee: End) -> tuple[RecordingRule | None, bool]:
        """The rule by which a call with this one is recorded, and whether somebody in it may want it recorded.

        That is one from phone to phone, or with a gateway: calls by trunks their own user agent has recorded, and those
        to services are not.
        """
        outward, inward = callee.service, self._caller.service
        gateway_id = callee.gateway_id or self._caller.gateway_id
        if self._call is None or (outward and inward) or ((outward or inward) and gateway_id is None):
            return None, False
        found = (self._caller.user_id, callee.user_id, self._call.calling.user_id)
        ids, dialled, recording = (
            frozenset(one for one in found if one),
            self._call.opened.callee,
            self._paths.recording,
        )
        if gateway_id is None:
            rule = recording.inside(ids, dialled)
        else:
            rule = recording.by_gateway(gateway_id, ids, dialled, outward=outward)
        return rule, recording.may_want(ids, dialled)


class _Missed:
    """A call that a rule wants recorded whose media cannot be relayed; see `PassingMedia`."""

    __slots__ = ("_call", "_missing", "_paths", "_rule")

    def __init__(self, paths: MediaPaths, rule: RecordingRule, call: LiveCall | None, missing: str) -> None:
        self._paths, self._rule, self._call, self._missing = paths, rule, call, missing

    def asked(self, request: Message) -> None:
        """See `PassingMedia`."""

    def answered(self, response: Message) -> None:
        """See `PassingMedia`."""
        if 200 <= response.status < 300 and self._call is not None:
            self._paths.recording.ordered(self._rule, self._call.opened.sip_call_id, self._missing)

    def failed(self) -> None:
        """See `PassingMedia`."""


class _Path:
    """The relayed media of one branch and of the dialog that it becomes; see `PassingMedia`."""

    __slots__ = (
        "_answered",
        "_call",
        "_caller_at",
        "_ends",
        "_key",
        "_keys",
        "_media",
        "_paths",
        "_pool",
        "_rule",
        "_seen_at",
        "_wish",
        "recordable",
    )

    def __init__(
        self,
        paths: MediaPaths,
        pool: RelayPool,
        ends: tuple[End, End],
        key: tuple[bytes, bytes],
        call: LiveCall | None,
        rule: RecordingRule | None,
        *,
        recordable: bool,
    ) -> None:
        self._paths, self._key, self._call = paths, key, call
        self._pool, self._rule = pool, rule
        # A recording has the site's side on the left.
        self._caller_at = SECOND if ends[0].gateway_id is not None else FIRST
        self._ends = list(ends if self._caller_at == FIRST else reversed(ends))
        self.recordable = recordable
        """Whether a rule has it recorded, or somebody in it may want that."""
        self._media = RelayedMedia(pool, self._host_for, own=recordable)
        self._wish = Wish(self._media, paths.recording, pool.tell)
        if call is not None:
            self._media.call_id, self._media.caller = call.opened.sip_call_id, self._caller_at
        self._keys: list[Key] = []
        self._answered = False
        self._seen_at: float | None = None
        if call is not None:
            paths.belongs(self, call)

    def asked(self, request: Message) -> None:
        """See `PassingMedia`."""
        self.rewrite(request, FIRST)

    def answered(self, response: Message) -> None:
        """See `PassingMedia`."""
        if response.status >= 300:
            self.failed()
            return
        if response.to_tag:
            key = (*self._key, response.to_tag)
            if key not in self._keys:
                self._keys.append(key)
                self._paths.named(key, self)
        first = response.status >= 200 and not self._answered
        self._answered = self._answered or first
        self.rewrite(response, SECOND)
        if first:
            self._record()

    def _record(self) -> None:
        """It was answered: record it from now on, if a rule wants that."""
        if self._rule is None or self._call is None:
            return
        missing = "" if self._media.relayed else NO_PORT
        self._media.record = self._paths.recording.ordered(self._rule, self._call.opened.sip_call_id, missing)
        if self._media.record is not None:
            self._pool.tell()

    def record_wanted(self, side: int, host: str, wanted: bool) -> None:
        """A side wants it to be recorded, or no longer.

        Args:
            side: the caller (FIRST), or who is called.
            host: where that came from.
            wanted: which of both.

        Raises:
            CallRefused: he may not, or it cannot be.
        """
        end = self._ends[self._at(side)]
        if end.user_id is None or end.host != host or not self._paths.recording.may_want(frozenset((end.user_id,)), ""):
            raise MayNotRecord("who wants it has no permission RecordCalls")
        if wanted:
            self._wish.record(frozenset((end.user_id,)))
        else:
            self._wish.record_no_more()

    def failed(self) -> None:
        """See `PassingMedia`."""
        if not self._answered:
            self.close()

    def rewrite(self, message: Message, side: int) -> None:
        """A description of the caller (FIRST), or of who is called, is to name the relay."""
        if not message.body or _kind(message) != _SDP:
            return
        position = self._at(side)
        end = self._ends[position]
        changed = self._media.through(position, message.body, end.host if end.inner else "")
        if changed is not message.body:
            message.body = changed
            message.set(b"Content-Length", b"%d" % len(changed))

    def moved(self, side: int, host: str) -> None:
        """A side sends from another address now: its NAT has given it one."""
        position = self._at(side)
        end = self._ends[position]
        if end.inner and end.host != host:
            self._ends[position] = replace(end, host=host)

    def described(self, side: int) -> tuple[Stream | None, ...]:
        """See `RelayedMedia`."""
        return self._media.described(self._at(side))

    def restore(self, side: int, described: tuple[Stream | None, ...]) -> None:
        """See `RelayedMedia`."""
        self._media.restore(self._at(side), described)

    def lapses(self, now: float, longest_seconds: float) -> bool:
        """Whether it has no record and is there for so long; the first question begins the time."""
        if self._call is not None:
            return False
        if self._seen_at is None:
            self._seen_at = now
        return now >= self._seen_at + longest_seconds

    def close(self) -> None:
        """Give the ports back."""
        self._media.close()
        self._paths.forget(self, self._keys, self._call)

    def _at(self, side: int) -> int:
        """Where the caller (FIRST) or who is called stands."""
        return side if self._caller_at == FIRST else 1 - side

    def _host_for(self, position: int) -> str:
        return self._paths.rules.host_for(self._ends[position], self._media.speaks_six(position))


class _Change:
    """What one request within a dialog changes of its media; see `PassingMedia`."""

    __slots__ = ("_before", "_path", "_side")

    def __init__(self, path: _Path, side: int, request: Message) -> None:
        self._path, self._side = path, side
        self._before = path.described(side)
        path.moved(side, request.flow.host)

    def towards(self, target: Target, request: Message) -> PassingMedia:
        """See `Choosing`."""
        del target, request
        return self

    def asked(self, request: Message) -> None:
        """See `PassingMedia`."""
        self._path.rewrite(request, self._side)

    def answered(self, response: Message) -> None:
        """See `PassingMedia`."""
        if response.status >= 300:
            self.failed()
        else:
            self._path.rewrite(response, 1 - self._side)

    def failed(self) -> None:
        """See `PassingMedia`."""
        self._path.restore(self._side, self._before)


def _kind(message: Message) -> bytes:
    return (message.get(b"content-type") or b"").partition(b";")[0].strip().lower()


def _named_by(request: Message) -> str:
    """The address that a phone thinks it has: by Contact or by Via (RFC 3581); empty: it names none."""
    via = request.via.host.strip(b"[]").decode("ascii", "replace")
    if numeric(via) is not None and via != request.flow.host:
        return via
    try:
        return NameAddr.parse(request.values(b"contact")[0], "Contact").uri.address or ""
    except (SipError, IndexError):
        return ""


def _inner(named: str, host: str) -> str:
    """The address behind a NAT; empty: there is none between, as far as can be seen."""
    one, other = numeric(named), numeric(host)
    return "" if one is None or one == other else named
