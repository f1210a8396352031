"""rtpengine for tests: the real one, and one that only speaks its control protocol."""

import asyncio
import socket
import subprocess
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from edge_agent.clock import SystemClock
from edge_agent.media.rtpengine.bencode import Value, decoded, encoded
from edge_agent.media.rtpengine.control import ControlSocket, RtpengineError, open_control
from edge_agent.media.rtpengine.program import PROGRAM, ProgramSettings, command_line
from edge_agent.media.rtpengine.requests import ping
from edge_agent.tokens import SystemTokens
from tests.support.waiting import eventually_async

PLACES = {"127.0.0.1": "127.0.0.1", "198.51.100.1": "127.0.0.2"}
"""Two hosts, the second by a NAT of the site's own."""


def free_port() -> int:
    """A UDP port of the loopback interface that is free now."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class _Party:
    at: str
    port: int
    where: str


@dataclass(slots=True)
class _Call:
    parties: dict[bytes, _Party] = field(default_factory=dict)


class FakeRtpengine(asyncio.DatagramProtocol):
    """Opens ports on paper and answers as rtpengine does; what it was asked is kept.

    Args:
        places: the address of each interface by its name.
    """

    def __init__(self, places: dict[str, str] | None = None) -> None:
        self.places = dict(places or PLACES)
        self.calls: dict[bytes, _Call] = {}
        self.asked: Counter[str] = Counter()
        self.silent = False
        """Answer nothing."""
        self.refuses = ""
        """Answer offers so."""
        self.packets: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        """What came from a party and what was refused, by call and tag."""
        self._port = 30_000
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    async def close(self) -> None:
        """Be gone."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        cookie, _, content = data.partition(b" ")
        request = decoded(content)
        assert isinstance(request, dict)
        self.asked[_text(request[b"command"])] += 1
        if not self.silent and self._transport is not None:
            self._transport.sendto(cookie + b" " + encoded(self._answer(request)), addr)

    def _answer(self, request: dict[bytes, Value]) -> Any:
        call_id = request.get(b"call-id", b"")
        assert isinstance(call_id, bytes)
        match request[b"command"]:
            case b"ping":
                return {"result": "pong"}
            case b"offer" | b"answer" if self.refuses:
                return {"result": "error", "error-reason": self.refuses}
            case b"offer" | b"answer":
                return self._described(call_id, request)
            case b"delete":
                found = self.calls.pop(call_id, None)
                return {"result": "ok", **({} if found else {"warning": "Call-ID not found or tags didn't match"})}
            case b"list":
                return {"result": "ok", "calls": list(self.calls)}
            case b"query" if call_id in self.calls:
                return {"result": "ok", "tags": self._tags(call_id)}
            case b"query":
                return {"result": "error", "error-reason": "Unknown call-id"}
            case _:
                return {"result": "error", "error-reason": "Unrecognized command"}

    def _described(self, call_id: bytes, request: dict[bytes, Value]) -> Any:
        call = self.calls.setdefault(call_id, _Call())
        sdp = _text(request[b"sdp"])
        where = next(line for line in sdp.splitlines() if line.startswith("c=")).split()[-1]
        port = next(line for line in sdp.splitlines() if line.startswith("m=")).split()[1]
        tag = request[b"to-tag"] if request[b"command"] == b"answer" else request[b"from-tag"]
        assert isinstance(tag, bytes)
        if not call.parties:
            names = request[b"direction"]
            assert isinstance(names, list)
            for each, name in zip((b"a", b"b"), names, strict=True):
                self._port += 2
                call.parties[each] = _Party(self._address(_text(name)), self._port, "")
        call.parties[tag].where = f"{where}:{port}"
        return {"result": "ok", "sdp": sdp}

    def _address(self, name: str) -> str:
        return next((at for host, at in self.places.items() if name == "at-" + host.replace(".", "-")), "127.0.0.9")

    def _tags(self, call_id: bytes) -> Any:
        found = {}
        for tag, party in self.calls[call_id].parties.items():
            packets, errors = self.packets.get((call_id, tag), (0, 0))
            stats = {"packets": packets, "bytes": 0, "errors": errors}
            stream = {"local address": party.at, "local port": party.port, "stats": stats}
            found[tag.decode()] = {"tag": tag, "medias": [{"index": 1, "streams": [stream, stream]}]}
        return found


def _text(value: Value) -> str:
    assert isinstance(value, bytes)
    return value.decode()


async def fake_rtpengine(stack: AsyncExitStack) -> tuple[FakeRtpengine, ControlSocket]:
    """One that runs, and a control socket to it."""
    transport, fake = await asyncio.get_running_loop().create_datagram_endpoint(
        FakeRtpengine, local_addr=("127.0.0.1", 0)
    )
    stack.push_async_callback(fake.close)
    control = await open_control(transport.get_extra_info("sockname"), SystemClock(), SystemTokens())
    stack.push_async_callback(control.close)
    return fake, control


def _started(command: tuple[str, ...], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


async def real_rtpengine(stack: AsyncExitStack, log: Path, first_port: int) -> ControlSocket:
    """The real one, with a control socket to it; ends with the stack."""
    port = free_port()
    command = command_line(PROGRAM, ProgramSettings(PLACES, port, first_port, first_port + 199))
    process = _started(command, log)
    stack.callback(process.wait)
    stack.callback(process.kill)
    control = await open_control(("127.0.0.1", port), SystemClock(), SystemTokens())
    stack.push_async_callback(control.close)
    pongs: list[bool] = []

    async def greet() -> None:
        while not pongs:
            try:
                await control.ask(ping())
                pongs.append(True)
            except RtpengineError:
                assert process.poll() is None, f"rtpengine ended; see {log}"

    greeting = asyncio.create_task(greet())
    await eventually_async(lambda: pongs or greeting.done(), 20, "rtpengine answers")
    await greeting
    return control
