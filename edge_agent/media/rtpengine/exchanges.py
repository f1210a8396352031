"""Requests of rtpengine's control protocol (`ng`) that wait for their answers. No socket, no clock.

A datagram is a cookie, a space and a dictionary in bencoding; the answer has the same cookie. rtpengine remembers
what it answered to a cookie, so that asking again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_agent.media.rtpengine.bencode import BadBencode, Encodable, Value, decoded, encoded
from edge_agent.tokens import Tokens

AGAIN_SECONDS: Final = (0.25, 0.5, 1.0)
"""Waited for an answer, before it is asked again each time but the last."""
MOST_WAITING: Final = 4_096
_MAX_COOKIE: Final = 64

Answer = dict[bytes, Value]


@dataclass(frozen=True, slots=True)
class SendAgain:
    """No answer came in time."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class GaveUp:
    """No answer came at all."""

    cookie: bytes


Action = SendAgain | GaveUp


class TooManyWait(Exception):
    """So many requests wait for an answer that no further one is sent."""


@dataclass(slots=True)
class _Waiting:
    datagram: bytes
    due: float
    asked: int = 1


class Exchanges:
    """The requests to one rtpengine.

    Args:
        tokens: for cookies, which nobody can guess.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._waiting: dict[bytes, _Waiting] = {}
        self.strays = 0
        """Datagrams that answered nothing, or were no answer."""

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, request: Mapping[str, Encodable], now: float) -> tuple[bytes, bytes]:
        """The cookie of a new request, and the datagram to send.

        Args:
            request: what is asked.
            now: seconds, monotonic.

        Raises:
            TooManyWait: see there.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise TooManyWait
        cookie = self._tokens.token(8).encode()
        datagram = cookie + b" " + encoded(request)
        self._waiting[cookie] = _Waiting(datagram, now + AGAIN_SECONDS[0])
        return cookie, datagram

    def receive(self, data: bytes) -> tuple[bytes, Answer] | None:
        """Which request a datagram answers, and with what; None: none, and counted."""
        cookie, separator, content = data.partition(b" ")
        if separator and len(cookie) <= _MAX_COOKIE and cookie in self._waiting:
            try:
                answer = decoded(content)
            except BadBencode:
                answer = b""
            if isinstance(answer, dict):
                del self._waiting[cookie]
                return cookie, answer
        self.strays += 1
        return None

    def forget(self, cookie: bytes) -> None:
        """Nobody waits for this answer any more."""
        self._waiting.pop(cookie, None)

    @property
    def deadline(self) -> float | None:
        """When to call `advance`; None: nothing waits."""
        return min((one.due for one in self._waiting.values()), default=None)

    def advance(self, now: float) -> list[Action]:
        """What is to be done now.

        Args:
            now: seconds, monotonic.
        """
        actions: list[Action] = []
        for cookie, one in list(self._waiting.items()):
            if one.due > now:
                continue
            if one.asked >= len(AGAIN_SECONDS):
                del self._waiting[cookie]
                actions.append(GaveUp(cookie))
            else:
                one.due = now + AGAIN_SECONDS[one.asked]
                one.asked += 1
                actions.append(SendAgain(one.datagram))
        return actions
