"""The relay's sockets: four for a stream, opened and closed by what the signalling says is to be carried."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections import Counter
from collections.abc import Iterable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.embedded.sockets import EXPEDITED_FORWARDING, drain, send
from edge_agent.media.relay.forwarding import Forwarding, RelayDrop
from edge_agent.ports import RelayedStream, RelayEnd

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 30.0
"""Streams end when the signalling has not named them for so long: its process is gone."""
LOOK_SECONDS: Final = 30.0
"""How often it is looked at whether anything flows."""
MOST_STREAMS: Final = 1_000


class _Carried:
    """A stream with its sockets: RTP and RTCP for the first party, then for the second."""

    __slots__ = ("forwarding", "seen", "silent", "sockets", "stream")

    def __init__(self, stream: RelayedStream, sockets: list[socket.socket]) -> None:
        self.stream, self.sockets = stream, sockets
        self.forwarding = Forwarding(stream.first, stream.second)
        self.seen = -1
        self.silent = False
        """Nothing has come either way since the last look."""

    def look(self) -> None:
        """See whether anything came, and say once when nothing did."""
        passed = sum(self.forwarding.packets)
        if passed == self.seen and not self.silent:
            log.warning("relay_stream_silent", extra={"ports": [self.stream.first.port, self.stream.second.port]})
        self.silent, self.seen = passed == self.seen, passed

    def readable(self, index: int) -> None:
        which, control = index // 2, bool(index % 2)
        leaving = self.sockets[index ^ 2]
        for data, source in drain(self.sockets[index]):
            to = self.forwarding.pass_on(which, data, source, control=control)
            if to is not None and not send(leaving, data, to):
                self.forwarding.dropped[RelayDrop.UNSENT] += 1


class RtpRelay:
    """Carries the streams that it is told of, and no other.

    Args:
        address: where sockets are bound; a wildcard is every address of a stream's family.
        clock: monotonic time.
    """

    def __init__(self, address: str, clock: Clock) -> None:
        self._address, self._clock = address, clock
        self._carried: dict[tuple[int, int], _Carried] = {}
        self._packets = 0
        self._dropped: Counter[RelayDrop] = Counter()
        self._unusable: set[tuple[int, int]] = set()
        self._named_at = clock.monotonic()
        self._watch: asyncio.TimerHandle | None = None

    def carry(self, streams: Iterable[RelayedStream]) -> None:
        """Carry exactly these from now on: what is new is opened, what is no more is closed, the rest goes on."""
        self._named_at = self._clock.monotonic()
        wanted = {(one.first.port, one.second.port): one for one in tuple(streams)[:MOST_STREAMS]}
        self._unusable &= wanted.keys()
        for key in [key for key in self._carried if key not in wanted]:
            self._close(key)
        for key, stream in wanted.items():
            carried = self._carried.get(key)
            if carried is not None and _same_families(carried.stream, stream):
                if carried.stream != stream:
                    carried.stream = stream
                    carried.forwarding.parties[0].redescribe(stream.first)
                    carried.forwarding.parties[1].redescribe(stream.second)
                continue
            if carried is not None:
                self._close(key)
            self._open(key, stream)
        if self._carried and self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(min(LOOK_SECONDS, LEASE_SECONDS), self._look)

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

    def _open(self, key: tuple[int, int], stream: RelayedStream) -> None:
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
                log.warning("relay_port_unusable", extra={"ports": list(key), "reason": error.strerror})
            return
        self._unusable.discard(key)
        carried = self._carried[key] = _Carried(stream, sockets)
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
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_FORWARDING)
            else:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
            fits = (":" in self._address) == end.six and self._address not in ("0.0.0.0", "::")
            opened.bind((self._address if fits else "::" if end.six else "0.0.0.0", port))
        except OSError:
            opened.close()
            raise
        return opened

    def _close(self, key: tuple[int, int]) -> None:
        carried = self._carried.pop(key)
        loop = asyncio.get_running_loop()
        for one in carried.sockets:
            loop.remove_reader(one)
            one.close()
        self._packets += sum(carried.forwarding.packets)
        self._dropped.update(carried.forwarding.dropped)
        log.info(
            "relay_stream_ended",
            extra={
                "packets": list(carried.forwarding.packets),
                "dropped": dict(carried.forwarding.dropped),
            },
        )


def _same_families(one: RelayedStream, other: RelayedStream) -> bool:
    return (one.first.six, one.second.six) == (other.first.six, other.second.six)
