"""The socket by which rtpengine is asked; the protocol is `exchanges`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol, assert_never, cast

from edge_agent.clock import Clock
from edge_agent.errors import EdgeError
from edge_agent.media.rtpengine.bencode import Encodable
from edge_agent.media.rtpengine.exchanges import AGAIN_SECONDS, Answer, Exchanges, GaveUp, SendAgain, TooManyWait
from edge_agent.tokens import Tokens


class RtpengineError(EdgeError):
    """rtpengine did not do what it was asked; the text says why."""


class RtpengineAway(RtpengineError):
    """Nobody answers."""


class Asking(Protocol):
    """Whom rtpengine's services are asked of."""

    async def ask(self, request: Mapping[str, Encodable]) -> Answer:
        """What rtpengine answers.

        Raises:
            RtpengineAway: nothing.
            RtpengineError: that it will not.
        """
        ...


class ControlSocket(asyncio.DatagramProtocol):
    """One rtpengine's control port, as a client sees it. Open it with `open_control`."""

    def __init__(self, clock: Clock, tokens: Tokens) -> None:
        self._clock = clock
        self._exchanges = Exchanges(tokens)
        self._answers: dict[bytes, asyncio.Future[Answer]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()

    async def ask(self, request: Mapping[str, Encodable]) -> Answer:
        """See `Asking`."""
        if self._transport is None or self._transport.is_closing():
            raise RtpengineAway("its control port is closed")
        try:
            cookie, datagram = self._exchanges.ask(request, self._clock.monotonic())
        except TooManyWait:
            raise RtpengineAway("too many requests wait for it") from None
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[cookie] = future
        self._transport.sendto(datagram)
        self._set_timer()
        try:
            answer = await future
        finally:
            self._answers.pop(cookie, None)
            self._exchanges.forget(cookie)
        if answer.get(b"result") not in (b"ok", b"pong"):
            reason = answer.get(b"error-reason")
            said = reason[:200].decode("ascii", "replace") if isinstance(reason, bytes) else "without a reason"
            raise RtpengineError(f"it refuses: {said}")
        return answer

    async def close(self) -> None:
        """Ask nothing any more; who waits hears that nobody answers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._all_in_vain("its control port is closed")
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    # -- asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        found = self._exchanges.receive(data)
        future = self._answers.get(found[0]) if found is not None else None
        if found is not None and future is not None and not future.done():
            future.set_result(found[1])

    def error_received(self, exc: Exception) -> None:
        """The system says that nobody is there (ICMP): no need to wait."""
        self._all_in_vain(f"its control port does not answer: {exc}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        self._all_in_vain("its control port is closed")

    def _all_in_vain(self, problem: str) -> None:
        for future in self._answers.values():
            if not future.done():
                future.set_exception(RtpengineAway(problem))

    def _set_timer(self) -> None:
        if self._timer is None and (due := self._exchanges.deadline) is not None:
            # Not later than a request that is made meanwhile is to be made again.
            pause = min(max(0.0, due - self._clock.monotonic()), AGAIN_SECONDS[0])
            self._timer = asyncio.get_running_loop().call_later(pause, self._due)

    def _due(self) -> None:
        self._timer = None
        for action in self._exchanges.advance(self._clock.monotonic()):
            match action:
                case SendAgain(datagram):
                    if self._transport is not None:
                        self._transport.sendto(datagram)
                case GaveUp(cookie):
                    future = self._answers.get(cookie)
                    if future is not None and not future.done():
                        future.set_exception(RtpengineAway("it does not answer"))
                case _:
                    assert_never(action)
        self._set_timer()


async def open_control(address: tuple[str, int], clock: Clock, tokens: Tokens) -> ControlSocket:
    """A socket to the control port at this numeric address.

    Raises:
        OSError: there is no way to it.
    """
    loop = asyncio.get_running_loop()
    _, control = await loop.create_datagram_endpoint(lambda: ControlSocket(clock, tokens), remote_addr=address)
    return control
