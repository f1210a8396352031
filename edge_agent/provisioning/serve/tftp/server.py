"""Sockets and timers for TFTP: the well-known port, and a few ports that all transfers share.

A client's address and port tell its transfer (RFC 1350 §4: both ends' ports do), so that a thousand phones that boot
together need neither a thousand sockets nor a thousand timers: one heap has the next deadline of every transfer.
"""

import asyncio
import heapq
import logging
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Final, assert_never

from edge_agent.clock import Clock
from edge_agent.provisioning.firmware import StoredFile
from edge_agent.provisioning.serve.tftp import packet
from edge_agent.provisioning.serve.tftp.listener import Begin, Drop, DropReason, Listener, Reply
from edge_agent.provisioning.serve.tftp.packet import ErrorCode
from edge_agent.provisioning.serve.tftp.transfer import Action, End, Ended, Peer, Send, Transfer

logger: Final = logging.getLogger(__name__)

DATA_PORTS: Final = 8
"""How many ports transfers are spread over: each has a receive buffer of its own in the system."""
_RECEIVE_BUFFER_BYTES: Final = 1 << 20
_DATAGRAM_BYTES: Final = 2048
_AT_ONCE: Final = 64
"""Datagrams of one port that are taken before other work has its turn."""
_UNKNOWN: Final = packet.error_packet(ErrorCode.UNKNOWN_TRANSFER, "unknown transfer")


@dataclass(slots=True, eq=False)
class _Running:
    peer: Peer
    transfer: Transfer
    by: socket.socket
    stored: StoredFile | None


class TftpServer:
    """Serves a listener's files on one address.

    Args:
        listener: decides about requests.
        clock: for the transfers' deadlines.
    """

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._well_known: socket.socket | None = None
        self._data: list[socket.socket] = []
        self._next = 0
        self._running: dict[Peer, _Running] = {}
        self._deadlines: list[tuple[float, int, _Running]] = []
        """A heap; a transfer that goes on has an entry that is too early, and gets another one when it is reached."""
        self._pushed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self.ended: Counter[str] = Counter()
        """How many transfers ended how."""

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that is bound (0 asks for a free one).

        Raises:
            OSError: a port cannot be bound; none is left open.
        """
        loop = asyncio.get_running_loop()
        try:
            self._well_known = _bound(host, port)
            self._data = [_bound(host, 0) for _ in range(DATA_PORTS)]
        except OSError:
            await self.stop()
            raise
        loop.add_reader(self._well_known.fileno(), self._asked, self._well_known)
        for each in self._data:
            loop.add_reader(each.fileno(), self._answered, each)
        bound: int = self._well_known.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close every port; transfers under way end."""
        for running in tuple(self._running.values()):
            self._end(running, "stopped")
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, float("inf")
        self._deadlines.clear()
        loop = asyncio.get_running_loop()
        for each in (*((self._well_known,) if self._well_known is not None else ()), *self._data):
            loop.remove_reader(each.fileno())
            each.close()
        self._well_known, self._data = None, []

    def _asked(self, readable: socket.socket) -> None:
        """Datagrams came to the well-known port."""
        for _ in range(_AT_ONCE):
            received = _receive(readable)
            if received is None:
                return
            data, source = received
            outcome = self._listener.receive(data, source)
            match outcome:
                case Begin():
                    self._begin(outcome)
                case Reply(answer):
                    _send(readable, answer, source)
                case Drop():
                    pass
                case other:
                    assert_never(other)

    def _answered(self, readable: socket.socket) -> None:
        """Datagrams came to a port of transfers."""
        for _ in range(_AT_ONCE):
            received = _receive(readable)
            if received is None:
                return
            data, source = received
            running = self._running.get(source)
            if running is not None and running.by is readable:
                self._perform(running, running.transfer.receive(data, self._clock.monotonic()))
            elif data[:2] in (packet.ACKNOWLEDGEMENT, packet.ERROR):
                # The last word of a client whose transfer is over: an error now would undo it.
                self._listener.dropped[DropReason.OVER] += 1
            else:
                _send(readable, _UNKNOWN, source)

    def _begin(self, begin: Begin) -> None:
        self._next = (self._next + 1) % len(self._data)
        running = _Running(begin.peer, begin.transfer, self._data[self._next], begin.stored)
        self._running[begin.peer] = running
        self._perform(running, begin.transfer.start(self._clock.monotonic()))
        self._remember(running)

    def _perform(self, running: _Running, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(data):
                    _send(running.by, data, running.peer)
                case Ended(how):
                    self._end(running, how.value)
                case other:
                    assert_never(other)

    def _end(self, running: _Running, how: str) -> None:
        if self._running.pop(running.peer, None) is not None:
            self._listener.ended(running.peer)
            self.ended[how] += 1
            if running.stored is not None and how == End.COMPLETE:
                self._listener.sent(running.stored)

    def _remember(self, running: _Running) -> None:
        """Come back to a transfer when it waits in vain."""
        deadline = running.transfer.deadline
        if deadline is not None:
            self._pushed += 1
            heapq.heappush(self._deadlines, (deadline, self._pushed, running))
            self._schedule()

    def _schedule(self) -> None:
        at = self._deadlines[0][0] if self._deadlines else float("inf")
        if at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            wait = max(0.0, at - self._clock.monotonic())
            self._timer_at = at
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, running = heapq.heappop(self._deadlines)
            self._perform(running, running.transfer.advance(now))
            self._remember(running)
        self._schedule()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        # A site's phones all ask at once when its power comes back; the system may grant less.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def _receive(readable: socket.socket) -> tuple[bytes, Peer] | None:
    """The next datagram; None when there is none."""
    while True:
        try:
            data, source = readable.recvfrom(_DATAGRAM_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            continue  # a client has gone (ICMP): its transfer ends when it waits in vain
        return data, (source[0], source[1])


def _send(by: socket.socket, data: bytes, to: Peer) -> None:
    """What cannot be sent is lost, as datagrams are; it is sent again when nobody acknowledges it."""
    try:
        by.sendto(data, to)
    except OSError as error:
        logger.debug("tftp_not_sent", extra={"error": error.strerror})
