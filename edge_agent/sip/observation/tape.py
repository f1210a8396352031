"""The recent messages of each call, kept as the bytes that they were: nothing is decoded before somebody asks.

The transport appends to `Tape.fresh`, which costs a tuple. Sorting by call happens in bulk, of at most
`sorted_per_second` messages, so that a flood costs no more than a busy day. Calls and everything else (registrations,
subscriptions) are kept apart, so that one cannot push out the other.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_agent.sip.message import Flow

FRESH: Final = 1024
"""Messages that wait to be sorted."""
_OVERHEAD_BYTES: Final = 256
"""What Python needs for one message besides its bytes."""
_OTHERS_SHARE: Final = 4
"""A quarter of everything is for what is no call."""
_CALL_ID: Final = re.compile(rb"\r\n(?:call-id|i)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_USUAL: Final = b"\r\nCall-ID: "


class Heard(NamedTuple):
    """One message as it went over the wire.

    Args:
        at: seconds, monotonic.
        sent: whether this edge sent it.
        flow: from or to whom.
        data: as it went.
    """

    at: float
    sent: bool
    flow: Flow
    data: bytes


@dataclass(frozen=True, slots=True)
class TapeRules:
    """How much is kept.

    Args:
        bytes: of all messages together, with what they cost beside; 0 keeps nothing.
        calls: calls, and a quarter as many registrations and the like; the one that was silent for longest goes first.
        messages_per_call: of one call; its first half stays, of the rest the newest.
        message_bytes: of one message; a longer one is cut.
        sorted_per_second: messages; what comes faster is not kept.
    """

    bytes: int = 8_000_000
    calls: int = 1_000
    messages_per_call: int = 200
    message_bytes: int = 8_192
    sorted_per_second: int = 8_192


class Recording:
    """What is kept of one Call-ID."""

    __slots__ = ("first", "left_out", "newest", "size")

    def __init__(self) -> None:
        self.first: list[Heard] = []
        self.newest: list[Heard] = []
        self.left_out = 0
        self.size = 0

    def messages(self, size: int) -> list[Heard]:
        """Oldest first, as many as go into so many bytes."""
        found = []
        for heard in (*self.first, *self.newest):
            size -= len(heard.data)
            if size < 0:
                break
            found.append(heard)
        return found

    def __len__(self) -> int:
        """How many there were."""
        return len(self.first) + len(self.newest) + self.left_out


Fresh = tuple[float, bool, Flow, bytes]
"""A `Heard` before it is one."""
Export = Callable[[Sequence[Fresh]], None]
"""Takes a copy of everything that goes over the wire."""


class Tape:
    """The memory of one transport.

    Args:
        rules: how much is kept.
        export: given what every batch brought, all of it.
    """

    def __init__(self, rules: TapeRules, export: Export | None = None) -> None:
        self.rules = rules
        self._export = export
        self._exported = 0
        self.fresh: list[Fresh] = []
        """Appended to by the transport, `(at, sent, flow, data)`, which says `batch_ended` now and then."""
        self.not_kept = 0
        """Messages that came too fast."""
        self._calls = _Shelf(rules.calls, rules.bytes)
        self._others = _Shelf(max(rules.calls // _OTHERS_SHARE, 1), rules.bytes // _OTHERS_SHARE)
        self._allowed = float(rules.sorted_per_second)
        self._allowed_at = 0.0

    def batch_ended(self, now: float) -> None:
        """What arrived together and what it led to is in `fresh`.

        Args:
            now: seconds, monotonic.
        """
        fresh = self.fresh
        if self._export is not None and len(fresh) > self._exported:
            self._export(fresh[self._exported :])
            self._exported = len(fresh)
        if len(fresh) >= FRESH:
            self.sort(now)

    def sort(self, now: float) -> None:
        """Put what is fresh where it belongs.

        Args:
            now: seconds, monotonic.
        """
        fresh, self.fresh, self._exported = self.fresh, [], 0
        for at, sent, flow, data in self._as_allowed(fresh, now):
            call_id = call_id_of(data)
            if call_id:
                kept = data if len(data) <= self.rules.message_bytes else data[: self.rules.message_bytes]
                self._put(call_id, Heard(at, sent, flow, kept))

    def recording(self, call_id: bytes, now: float) -> Recording | None:
        """What is kept of a call or registration; None: nothing.

        Args:
            call_id: the SIP Call-ID.
            now: seconds, monotonic.
        """
        self.sort(now)
        return self._calls.kept.get(call_id) or self._others.kept.get(call_id)

    @property
    def size(self) -> int:
        """Bytes kept, with what they cost beside."""
        return self._calls.size + self._others.size

    def __len__(self) -> int:
        return len(self._calls.kept)

    def _as_allowed(self, fresh: list[Fresh], now: float) -> list[Fresh]:
        """The newest of them, as many as may be sorted now."""
        rate = self.rules.sorted_per_second
        since = max(0.0, now - self._allowed_at)
        self._allowed = min(self._allowed + since * rate, float(rate))
        self._allowed_at = max(now, self._allowed_at)
        count = min(len(fresh), int(self._allowed))
        self._allowed -= count
        self.not_kept += len(fresh) - count
        return fresh[len(fresh) - count :]

    def _put(self, call_id: bytes, heard: Heard) -> None:
        if call_id not in self._calls.kept:
            earlier = self._others
            if not heard.data.startswith(b"INVITE "):
                earlier.put(call_id, heard, self.rules.messages_per_call)
                return
            self._calls.adopt(call_id, earlier.take(call_id))
        self._calls.put(call_id, heard, self.rules.messages_per_call)


class _Shelf:
    """Recordings by Call-ID, the one that was silent for longest first."""

    __slots__ = ("_count", "_size", "kept", "size")

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self.kept: OrderedDict[bytes, Recording] = OrderedDict()
        self.size = 0

    def put(self, call_id: bytes, heard: Heard, limit: int) -> None:
        recording = self.kept.get(call_id)
        if recording is None:
            recording = self.kept[call_id] = Recording()
        else:
            self.kept.move_to_end(call_id)
        cost = len(heard.data) + _OVERHEAD_BYTES
        if len(recording.first) < (limit + 1) // 2:
            recording.first.append(heard)
        else:
            recording.newest.append(heard)
            if len(recording.newest) > limit // 2:
                cost -= len(recording.newest.pop(0).data) + _OVERHEAD_BYTES
                recording.left_out += 1
        recording.size += cost
        self.size += cost
        while self.kept and (self.size > self._size or len(self.kept) > self._count):
            _, gone = self.kept.popitem(last=False)
            self.size -= gone.size

    def take(self, call_id: bytes) -> Recording | None:
        recording = self.kept.pop(call_id, None)
        if recording is not None:
            self.size -= recording.size
        return recording

    def adopt(self, call_id: bytes, recording: Recording | None) -> None:
        if recording is not None:
            self.kept[call_id] = recording
            self.size += recording.size


def call_id_of(data: bytes) -> bytes:
    """The Call-ID of a message as it went over the wire; empty when there is none."""
    at = data.find(_USUAL)
    if at > 0:
        at += len(_USUAL)
        return data[at : data.find(b"\r\n", at)].strip(b" \t")
    found = _CALL_ID.search(data)
    return found[1].strip(b" \t") if found is not None else b""
