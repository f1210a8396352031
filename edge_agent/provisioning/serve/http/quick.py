"""Connections whose requests are plain: read, answered and written as soon as their socket has them, without a task."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.provisioning.serve.http.plain import END_OF_HEAD, PlainRequest, plain_request

READ_BYTES: Final = 4096


class Closed(StrEnum):
    """Why a connection was closed; counted."""

    DONE = "done"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_SLOW = "too_slow"
    BAD_REQUEST = "bad_request"
    HEAD_TOO_LARGE = "head_too_large"
    BODY_TOO_LARGE = "body_too_large"
    LOST = "lost"
    NO_HANDSHAKE = "no_handshake"
    """TLS did not come to pass."""
    UNKNOWN_AUTHORITY = "unknown_authority"
    """The client showed a certificate of an authority that is not installed."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a connection is when it is handed over."""

    received: bytes = b""
    """Not answered yet."""
    unsent: bytes = b""
    """Of an answer that the client did not take at once."""
    served: int = 0
    last: bool = False
    """Nothing more is answered."""


@dataclass(slots=True)
class _Open:
    address: str
    deadline: asyncio.TimerHandle
    received: bytes = b""
    served: int = 0
    watched: bool = False
    """Whether the loop tells of what comes."""


class QuickConnections:
    """Serves connections until one turns out not to be plain.

    Args:
        answer: the response to a request of an address that has been given so many, and whether it is the last; None:
            it takes longer than there is time for here.
        head_seconds: how long a client has for the head of its next request.
        hand_over: takes a connection that needs more than this.
        let_go: told of each connection that was closed here.
    """

    def __init__(
        self,
        answer: Callable[[PlainRequest, str, int], tuple[bytes, bool] | None],
        head_seconds: float,
        hand_over: Callable[[socket.socket, str, Begun], None],
        let_go: Callable[[str, Closed], None],
    ) -> None:
        self._answer, self._head_seconds = answer, head_seconds
        self._hand_over, self._let_go = hand_over, let_go
        self._open: dict[socket.socket, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, accepted: socket.socket, address: str) -> None:
        """Serve a connection; what it has sent already is answered at once."""
        loop = asyncio.get_running_loop()
        accepted.setblocking(False)
        self._open[accepted] = _Open(address, loop.call_later(self._head_seconds, self._too_slow, accepted))
        self._readable(accepted)
        client = self._open.get(accepted)
        if client is not None:  # it has not been answered yet, or may ask for more
            loop.add_reader(accepted.fileno(), self._readable, accepted)
            client.watched = True

    def close(self) -> None:
        """Close every connection."""
        for each in tuple(self._open):
            self._end(each, Closed.LOST)

    def _readable(self, readable: socket.socket) -> None:
        client = self._open[readable]
        try:
            data = readable.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._end(readable, Closed.LOST)
            return
        if not data:
            self._end(readable, Closed.DONE)
            return
        client.received += data
        while client.received:
            plain = plain_request(client.received)
            if plain is None:
                # A head that is not whole yet is waited for as long as it may become a plain one.
                if END_OF_HEAD in client.received or not _may_become_plain(client.received):
                    self._pass_on(readable, client, Begun(client.received, served=client.served))
                return
            if not self._respond(readable, client, plain):
                return

    def _respond(self, readable: socket.socket, client: _Open, plain: PlainRequest) -> bool:
        """Answer; whether the connection goes on here."""
        answer = self._answer(plain, client.address, client.served + 1)
        if answer is None:
            self._pass_on(readable, client, Begun(client.received, served=client.served))
            return False
        client.received = client.received[plain.size :]
        client.served += 1
        data, last = answer
        try:
            sent = readable.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(readable, Closed.LOST)
            return False
        if sent < len(data):
            self._pass_on(readable, client, Begun(client.received, data[sent:], client.served, last))
            return False
        if last:
            self._end(readable, Closed.DONE)
            return False
        client.deadline.cancel()
        client.deadline = asyncio.get_running_loop().call_later(self._head_seconds, self._too_slow, readable)
        return True

    def _too_slow(self, waited_for: socket.socket) -> None:
        self._end(waited_for, Closed.TOO_SLOW)

    def _pass_on(self, passed: socket.socket, client: _Open, begun: Begun) -> None:
        self._leave(passed)
        self._hand_over(passed, client.address, begun)

    def _end(self, ended: socket.socket, why: Closed) -> None:
        client = self._leave(ended)
        ended.close()
        self._let_go(client.address, why)

    def _leave(self, left: socket.socket) -> _Open:
        client = self._open.pop(left)
        if client.watched:
            asyncio.get_running_loop().remove_reader(left.fileno())
        client.deadline.cancel()
        return client


def _may_become_plain(received: bytes) -> bool:
    """Whether the beginning of a head may be of a request that is answered here."""
    return len(received) < READ_BYTES and (received[:4] in (b"GET ", b"HEAD") or len(received) < 4)
