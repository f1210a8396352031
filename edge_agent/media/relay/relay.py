"""The relay's sockets: four for a stream, opened and closed by what the signalling says is to be carried."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal

from edge_agent.clock import Clock
from edge_agent.media.embedded.sockets import drain, send
from edge_agent.media.recording.recorder import Recorder, Recorders
from edge_agent.media.relay.forwarding import Forwarding, RelayDrop
from edge_agent.media.relay.keys import KeyWatch
from edge_agent.network.marks import Dscp, mark
from edge_agent.ports import QualityTold, RelayedStream, RelayEnd

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30.0
"""Streams end when the signalling has not named them for so long: its process is gone."""
LOOK_SECONDS: Final = 30.0
"""How often it is looked at whether anything flows."""
MOST_STREAMS: Final = 1_000

Pressed = Callable[[str, str], None]
"""Hears the Call-ID of the record of a call, and the key that was pressed in it. Nothing in it waits."""
_Key = tuple[int, int, str, str]
"""Of a stream: its ports, and where each is bound."""


class _Carried:
    """A stream with its sockets: RTP and RTCP for the first party, then for the second."""

    __slots__ = (
        "_clock",
        "_keys",
        "_pressed",
        "forwarding",
        "recorder",
        "refused",
        "seen",
        "silent",
        "sockets",
        "stream",
    )

    def __init__(self, stream: RelayedStream, sockets: list[socket.socket], clock: Clock, pressed: Pressed) -> None:
        self.stream, self.sockets, self._clock, self._pressed = stream, sockets, clock, pressed
        self._keys = KeyWatch(stream.keys) if stream.keys is not None else None
        self.forwarding = Forwarding(stream.first, stream.second)
        self.recorder: Recorder | None = None
        self.refused = ""
        """The recording that could not be begun."""
        self.seen = -1
        self.silent = False
        """Nothing has come either way since the last look."""

    def redescribe(self, stream: RelayedStream) -> None:
        """What is said of it now."""
        self.stream = stream
        for party, end in zip(self.forwarding.parties, (stream.first, stream.second), strict=True):
            party.redescribe(end)
        if stream.keys is None:
            self._keys = None
        elif self._keys is None or self._keys.watched != stream.keys:
            self._keys = KeyWatch(stream.keys)

    def look(self) -> None:
        """See whether anything came, and say once when nothing did."""
        passed = sum(self.forwarding.packets)
        if passed == self.seen and not self.silent:
            log.warning("relay_stream_silent", extra={"ports": [self.stream.first.port, self.stream.second.port]})
        self.silent, self.seen = passed == self.seen, passed

    def readable(self, index: int) -> None:
        which, control = index // 2, bool(index % 2)
        leaving, now = self.sockets[index ^ 2], self._clock.monotonic()
        for data, source in drain(self.sockets[index]):
            to = self.forwarding.pass_on(which, data, source, control=control, now=now)
            if to is None:
                continue
            if self._keys is not None and not control and (key := self._keys.heard(which, data)):
                self._pressed(self.stream.call_id, key)
            if self.recorder is not None and not control:
                data = self.recorder.hear(which, data, now)
            if not send(leaving, data, to):
                self.forwarding.dropped[RelayDrop.UNSENT] += 1


class RtpRelay:
    """Carries the streams that it is told of, and no other.

    Args:
        address: where sockets are bound; a wildcard is every address of a stream's family.
        clock: monotonic time.
        measured: hears how well each party of a call's stream was heard, when that is over.
        recorders: record what is to be recorded; None: nothing is.
        pressed: hears of the keys that are to be told.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        measured: QualityTold = lambda quality: None,
        recorders: Recorders | None = None,
        pressed: Pressed = lambda call_id, key: None,
    ) -> None:
        self._address, self._clock, self._measured, self._recorders = address, clock, measured, recorders
        self._pressed = pressed
        self._carried: dict[_Key, _Carried] = {}
        self._packets = 0
        self._dropped: Counter[RelayDrop] = Counter()
        self._unusable: set[_Key] = set()
        self._named_at = clock.monotonic()
        self._watch: asyncio.TimerHandle | None = None

    def carry(self, streams: Iterable[RelayedStream]) -> None:
        """Carry exactly these from now on: what is new is opened, what is no more is closed, the rest goes on."""
        self._named_at = self._clock.monotonic()
        wanted = {_key(one): one for one in tuple(streams)[:MOST_STREAMS]}
        self._unusable &= wanted.keys()
        for key in [key for key in self._carried if key not in wanted]:
            self._close(key)
        for key, stream in wanted.items():
            carried = self._carried.get(key)
            if carried is not None and _same_families(carried.stream, stream):
                if carried.stream != stream:
                    carried.redescribe(stream)
                continue
            recorder = None
            if carried is not None:
                # The sockets are others; what is recorded is the same call.
                recorder, carried.recorder = carried.recorder, None
                self._close(key)
            self._open(key, stream)
            if recorder is not None:
                self._go_on(key, recorder)
        self._record()
        if self._carried and self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(min(LOOK_SECONDS, LEASE_SECONDS), self._look)

    def _go_on(self, key: _Key, recorder: Recorder) -> None:
        """A stream that was opened anew is recorded on; one that could not be is not."""
        if key in self._carried:
            self._carried[key].recorder = recorder
        else:
            recorder.end(self._clock.monotonic())

    def _record(self) -> None:
        """Begin and end recordings as the streams say now, and write what is due."""
        if self._recorders is None:
            return
        now = self._clock.monotonic()
        for one in self._carried.values():
            wanted = one.stream.record.recording_id if one.stream.record is not None else ""
            if one.recorder is not None and one.recorder.recording_id != wanted:
                one.recorder.end(now)
                one.recorder = None
            if one.recorder is not None:
                one.recorder.tick(now)
            elif wanted and wanted != one.refused:
                one.recorder = self._recorders.begin(one.stream)
                one.refused = wanted if one.recorder is None else ""
        self._recorders.tick()

    def figures(self) -> dict[str, int]:
        """Streams now, those of them in which nothing flows and those without ports; packets since the start."""
        now = [one.forwarding for one in self._carried.values()]
        return {
            "relay.streams": len(self._carried),
            "relay.packets": self._packets + sum(sum(one.packets) for one in now),
            "relay.dropped": self._dropped.total() + sum(one.dropped.total() for one in now),
            "relay.silent": sum(1 for one in self._carried.values() if one.silent),
            "relay.failed": len(self._unusable),
        }

    def close(self) -> None:
        """Let go of every socket."""
        for key in list(self._carried):
            self._close(key)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self) -> None:
        self._watch = None
        left = self._named_at + LEASE_SECONDS - self._clock.monotonic()
        if left <= 0:
            log.warning("relay_left_alone", extra={"streams": len(self._carried)})
            self.close()
        elif self._carried:
            for one in self._carried.values():
                one.look()
            self._watch = asyncio.get_running_loop().call_later(min(LOOK_SECONDS, left), self._look)

    def _open(self, key: _Key, stream: RelayedStream) -> None:
        sockets: list[socket.socket] = []
        try:
            for end in (stream.first, stream.second):
                sockets.append(self._bound(end, end.port))
                sockets.append(self._bound(end, end.port + 1))
        except OSError as error:
            for one in sockets:
                one.close()
            if key not in self._unusable:
                self._unusable.add(key)
                log.warning("relay_port_unusable", extra={"ports": list(key[:2]), "reason": error.strerror})
            return
        self._unusable.discard(key)
        carried = self._carried[key] = _Carried(stream, sockets, self._clock, self._pressed)
        loop = asyncio.get_running_loop()
        for index, one in enumerate(sockets):
            loop.add_reader(one, functools.partial(carried.readable, index))

    def _bound(self, end: RelayEnd, port: int) -> socket.socket:
        family = socket.AF_INET6 if end.six else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            if end.six:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            mark(opened, Dscp.VOICE)
            fits = (":" in self._address) == end.six and self._address not in ("0.0.0.0", "::")
            opened.bind((end.at or (self._address if fits else "::" if end.six else "0.0.0.0"), port))
        except OSError:
            opened.close()
            raise
        return opened

    def _close(self, key: _Key) -> None:
        carried = self._carried.pop(key)
        loop = asyncio.get_running_loop()
        for one in carried.sockets:
            loop.remove_reader(one)
            one.close()
        if carried.recorder is not None:
            carried.recorder.end(self._clock.monotonic())
        self._packets += sum(carried.forwarding.packets)
        self._dropped.update(carried.forwarding.dropped)
        self._tell(carried)
        log.info(
            "relay_stream_ended",
            extra={
                "packets": list(carried.forwarding.packets),
                "dropped": dict(carried.forwarding.dropped),
            },
        )

    def _tell(self, carried: _Carried) -> None:
        """Tell of a stream that is over, unless it was none of a call, or nothing ever came."""
        stream, heard = carried.stream, carried.forwarding.heard
        if stream.call_id and any(one.packets for one in heard):
            for place, one in enumerate(heard):
                whose: Literal["caller", "callee"] | None = None
                if stream.caller is not None:
                    whose = "caller" if stream.caller == place else "callee"
                self._measured(one.told(stream.call_id, whose))


def _key(stream: RelayedStream) -> _Key:
    return stream.first.port, stream.second.port, stream.first.at, stream.second.at


def _same_families(one: RelayedStream, other: RelayedStream) -> bool:
    return (one.first.six, one.second.six) == (other.first.six, other.second.six)
