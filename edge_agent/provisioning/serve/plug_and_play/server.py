"""Sockets and timers for plug and play: the group's port, shared with the registrar's, and one for our NOTIFYs."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Sequence
from typing import Final

from edge_agent.clock import Clock
from edge_agent.provisioning.serve.plug_and_play.core import PlugAndPlay, Send
from edge_agent.provisioning.serve.plug_and_play.message import MAX_BYTES

logger: Final = logging.getLogger(__name__)

GROUP: Final = "224.0.1.75"
"""sip.mcast.net (RFC 3261 §10.2.6)."""
_DRAIN_LIMIT: Final = 64


class PlugAndPlayServer:
    """Listens on the group and speaks for the core.

    Args:
        core: decides.
        clock: for its deadlines.
        group: the multicast address; another one in tests.
    """

    def __init__(self, core: PlugAndPlay, clock: Clock, group: str = GROUP) -> None:
        self._core, self._clock, self._group = core, clock, group
        self._shared: socket.socket | None = None
        self._own: socket.socket | None = None
        self._interfaces: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, port: int, interfaces: Sequence[str]) -> int:
        """Listen; returns the port.

        Args:
            port: of the group, 5060 for phones; 0 takes a free one.
            interfaces: an IPv4 address of each interface whose phones are answered.

        Raises:
            OSError: the port cannot be shared, or no interface can join the group.
        """
        loop = asyncio.get_running_loop()
        shared = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            # The registrar has this port at every address of the machine; datagrams to the group come here alone.
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            shared.setblocking(False)
            own.setblocking(False)
            shared.bind((self._group, port))
            own.bind(("0.0.0.0", 0))
            self._shared, self._own = shared, own
            self.join(interfaces)
            if not self._interfaces:
                raise OSError("no interface of this machine can join the multicast group")
        except OSError:
            shared.close()
            own.close()
            self._shared = self._own = None
            raise
        loop.add_reader(shared.fileno(), self._readable, shared)
        loop.add_reader(own.fileno(), self._readable, own)
        bound: int = shared.getsockname()[1]
        return bound

    def join(self, interfaces: Sequence[str]) -> None:
        """Be a member of the group on these interfaces; one that is not there is passed over."""
        if self._shared is None:
            return
        for address in interfaces:
            if address in self._interfaces:
                continue
            request = struct.pack("4s4s", socket.inet_aton(self._group), socket.inet_aton(address))
            try:
                self._shared.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            except OSError as error:
                logger.warning("plug_and_play_no_group", extra={"interface": address, "error": error.strerror})
                continue
            self._interfaces.add(address)

    async def stop(self) -> None:
        """Leave the group. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for each in (self._shared, self._own):
            if each is not None:
                asyncio.get_running_loop().remove_reader(each.fileno())
                each.close()
        self._shared = self._own = None
        self._interfaces.clear()

    def _readable(self, on: socket.socket) -> None:
        for _ in range(_DRAIN_LIMIT):
            try:
                data, source = on.recvfrom(MAX_BYTES + 1)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                continue  # a phone refused what was sent to it (ICMP)
            local = (_towards(source[0]), self._own.getsockname()[1] if self._own is not None else 0)
            self._send(self._core.receive(data, (source[0], source[1]), local, self._clock.monotonic()))
        self._wait()

    def _send(self, sends: list[Send]) -> None:
        for each in sends:
            through = self._own if each.notify else self._shared
            with contextlib.suppress(OSError):
                if through is not None:
                    through.sendto(each.data, each.to)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (deadline := self._core.deadline) is not None:
            wait = max(0.0, deadline - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self._send(self._core.advance(self._clock.monotonic()))
        self._wait()


def _towards(address: str) -> str:
    """Our own address on the way to this one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return "0.0.0.0"
        return str(probe.getsockname()[0])
