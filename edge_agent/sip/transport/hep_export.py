"""Sends a copy of what goes over the wire to a Homer server: by UDP, never waiting, secrets masked."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sip.observation.hep import hep_packet
from edge_agent.sip.observation.masking import masked
from edge_agent.sip.observation.tape import Fresh

_RETRY_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


class HepExport:
    """One Homer server.

    Args:
        target: host name or address and port; a name is looked up when the export starts, and again a minute after
            that failed.
        capture_id: which agent tells.
        password: what the server asks for; empty: nothing.
        clock: time.
    """

    def __init__(self, target: tuple[str, int], capture_id: int, password: bytes, clock: Clock) -> None:
        self._target = target
        self._capture_id = capture_id
        self._password = password
        self._clock = clock
        self._socket: socket.socket | None = None
        self._finding: asyncio.Task[None] | None = None
        self._next_try = 0.0
        self.local: Callable[[], Mapping[str, tuple[str, int]]] = dict
        """Asked for this edge's own host and port of each transport."""
        self.sent = 0
        """Messages sent."""
        self.lost = 0
        """Messages that could not be sent."""

    def __call__(self, messages: Sequence[Fresh]) -> None:
        """Send what a batch brought."""
        if self._socket is None:
            self._find()
            self.lost += len(messages)
            return
        local, now = self.local(), self._clock.now().timestamp()
        monotonic = self._clock.monotonic()
        for at, sent, flow, data in messages:
            here, there = local.get(flow.transport, ("", 0)), (flow.host, flow.port)
            source, target = (here, there) if sent else (there, here)
            moment = now + at - monotonic
            packet = hep_packet(masked(data), flow.transport, source, target, moment, self._capture_id, self._password)
            try:
                self._socket.send(packet)
            except OSError:
                # Full, or nobody listens there: telephony does not wait for its observer.
                self.lost += 1
            else:
                self.sent += 1

    def _find(self) -> None:
        now = self._clock.monotonic()
        if self._finding is None and now >= self._next_try:
            self._next_try = now + _RETRY_SECONDS
            self._finding = asyncio.get_running_loop().create_task(self._connect())
            self._finding.add_done_callback(self._found)

    def _found(self, task: asyncio.Task[None]) -> None:
        self._finding = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("hep_target_unknown", extra={"problem": str(error)})

    async def _connect(self) -> None:
        host, port = self._target
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        self._socket = made

    async def start(self) -> None:
        """Look the server up now, so that the first message is told as well."""
        self._find()
        if self._finding is not None:
            await asyncio.wait([self._finding], timeout=1.0)

    def close(self) -> None:
        """Stop telling."""
        if self._finding is not None:
            self._finding.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
