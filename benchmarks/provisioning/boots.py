"""Phones that all ask at once, each from an address of its own; how long until each had its file."""

import asyncio
import time
from typing import Any, Final

ASK_AGAIN_SECONDS: Final = 1.0
GIVE_UP_SECONDS: Final = 60.0


def address(number: int) -> str:
    """The phone's own address on the loopback network."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def name(number: int) -> str:
    """The file that the phone asks for."""
    return f"805ec0{number:06x}.cfg"


async def by_http(number: int, port: int) -> bytes:
    """The phone's file by HTTP."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address(number), 0))
            break
        except ConnectionError:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
    writer.write(f"GET /{name(number)} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head[:200]
    return body


class _Transfer(asyncio.DatagramProtocol):
    """The plainest TFTP client: blocks of 512 bytes, one after the other, asked for again after a second."""

    def __init__(self, number: int, port: int, done: "asyncio.Future[bytes]") -> None:
        self._request = b"\0\1" + name(number).encode() + b"\0octet\0"
        self._to: tuple[str, int] = ("127.0.0.1", port)
        self._done, self._body = done, b""
        self._last, self._next = self._request, 1

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if not self._done.done():
            self._transport.sendto(self._last, self._to)
            self._timer = asyncio.get_running_loop().call_later(ASK_AGAIN_SECONDS, self._send)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[:2] == b"\0\5":
            self._done.set_exception(AssertionError(data))
            return
        if data[:2] != b"\0\3" or int.from_bytes(data[2:4]) != self._next & 0xFFFF:
            return
        self._timer.cancel()
        self._to, self._body = addr, self._body + data[4:]
        self._last = b"\0\4" + data[2:4]
        self._next += 1
        if len(data) < 516:
            self._transport.sendto(self._last, self._to)
            self._done.set_result(self._body)
        else:
            self._send()


async def by_tftp(number: int, port: int) -> bytes:
    """The phone's file by TFTP."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Transfer(number, port, done), local_addr=(address(number), 0)
    )
    try:
        return await done
    finally:
        transport.close()


async def boot(how: str, phones: int, port: int) -> tuple[float, int]:
    """All at once: seconds until the last had its file, and how many failed."""
    ask = by_http if how == "http" else by_tftp
    began = time.perf_counter()
    tasks = (asyncio.wait_for(ask(number, port), GIVE_UP_SECONDS) for number in range(phones))
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    failed = sum(isinstance(each, BaseException) or len(each) < 1000 for each in answers)
    return time.perf_counter() - began, failed
