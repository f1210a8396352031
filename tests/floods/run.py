"""Floods against a real edge over loopback, from many addresses, while honest phones register and call."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.cpu import descendant_running, memory_mb
from tests.soak.phone import DOMAIN, HOST, Phone
from tests.soak.run import site_of
from tests.support.edge_process import EdgeProcess, prepare_state

_OPEN_AT_ONCE: Final = 400
_AT_ONCE: Final = 64
"""Messages between two looks at the clock; loopback has no other limit."""
_RESET: Final = struct.pack("ii", 1, 0)
_CLIENT_HELLO: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a handshake whose rest never comes."""
MOST_GROWTH_MB: Final = 60.0
"""What all floods together may add to the memory of the SIP process."""


@dataclass
class Flood:
    """One flood and what became of the edge and of the honest phones meanwhile."""

    name: str
    attempts: int
    seconds: float = 0.0
    before_mb: float = 0.0
    after_mb: float = 0.0
    honest: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


@dataclass
class Floods:
    """All floods, one after the other.

    Args:
        folder: for the edge's state.
        connections: attempts by TCP and as many by TLS.
        messages: of each kind.
    """

    folder: Path
    connections: int
    messages: int
    done: list[Flood] = field(default_factory=list)

    async def run(self) -> None:
        """See `done` for what came of it."""
        numbers = ["200", "201", "202"]
        state = self.folder / "state"
        prepare_state(state, site_of(numbers), {f"s-{one}:1": f"password-{one}" for one in numbers})
        edge = EdgeProcess(state)
        phones: list[Phone] = []
        try:
            ports = await asyncio.to_thread(edge.ports)
            self._pid = descendant_running(edge.process.pid, "edge_agent.processes.sip")
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            udp, tls = Phone("200", "udp", ports["sip_udp"]), Phone("201", "tls", ports["sip_tls"], context)
            phones = [udp, tls]
            for phone in phones:
                await phone.start()
            self._caller, self._callee = udp, tls
            for name, port, first in (
                ("half-open TCP", ports["sip_tcp"], b"OPTIONS sip:x SIP/2.0\r\n"),
                ("half-open TLS", ports["sip_tls"], _CLIENT_HELLO),
            ):
                await self._flood(name, self.connections, lambda n, p=port, f=first: self._connections(n, p, f))  # type: ignore[misc]
            for name, make in KINDS.items():
                await self._flood(name, self.messages, lambda n, m=make: self._datagrams(n, ports["sip_udp"], m))  # type: ignore[misc]
        finally:
            for phone in phones:
                await phone.stop()
            await asyncio.to_thread(edge.stop)

    async def _flood(self, name: str, attempts: int, pour: Callable[[int], None]) -> None:
        flood = Flood(name, attempts, before_mb=memory_mb(self._pid))
        self.done.append(flood)
        began = time.monotonic()
        pouring = asyncio.create_task(asyncio.to_thread(pour, attempts))
        while not pouring.done() or not flood.honest:
            at = time.monotonic()
            await self._caller.register()
            flood.honest[await self._caller.call(self._callee.number, 0.0, set())] += 1
            flood.slowest = max(flood.slowest, time.monotonic() - at)
            await asyncio.sleep(0.2)
        await pouring
        flood.seconds = time.monotonic() - began
        flood.after_mb = memory_mb(self._pid)

    def _connections(self, attempts: int, port: int, first: bytes) -> None:
        """Connections that say next to nothing, a few hundred at a time, from thousands of addresses."""
        opened: list[socket.socket] = []
        for number in range(attempts):
            made = socket.socket()
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            made.bind((_source(number), 0))
            made.connect_ex((HOST, port))
            opened.append(made)
            if len(opened) >= _OPEN_AT_ONCE:
                for one in opened:
                    with contextlib.suppress(OSError):
                        one.send(first)
                for one in opened[: _OPEN_AT_ONCE // 2]:
                    one.close()
                del opened[: _OPEN_AT_ONCE // 2]
        for one in opened:
            one.close()

    def _datagrams(self, attempts: int, port: int, make: Callable[[int], bytes]) -> None:
        sockets: list[socket.socket] = []
        for number in range(64):
            made = socket.socket(type=socket.SOCK_DGRAM)
            made.bind((_source(number), 0))
            made.setblocking(False)
            sockets.append(made)
        for number in range(attempts):
            with contextlib.suppress(OSError):
                sockets[number % len(sockets)].sendto(make(number), (HOST, port))
        for one in sockets:
            one.close()

    @property
    def problems(self) -> list[str]:
        """What is not as it must be."""
        found = []
        for flood in self.done:
            refused = [name for name in flood.honest if name != "ended"]
            found += [f"{flood.name}: an honest call was {name}" for name in refused]
        if self.done and (growth := self.done[-1].after_mb - self.done[0].before_mb) > MOST_GROWTH_MB:
            found.append(f"memory grew by {growth:.0f} MB")
        return found

    def table(self) -> str:
        """For people."""
        lines = ["flood                          attempts   seconds  honest calls  slowest  memory before, after"]
        for one in self.done:
            served, memory = one.honest["ended"], f"{one.before_mb:>8.0f} MB, {one.after_mb:.0f} MB"
            lines += [
                f"{one.name:<28} {one.attempts:>10} {one.seconds:>9.1f} {served:>13} {one.slowest:>6.2f} s {memory}"
            ]
        return "\n".join([*lines, "problems: " + ("; ".join(self.problems) or "none")])


def _source(number: int) -> str:
    """One of thousands of loopback's addresses."""
    return f"127.{1 + number // 50_000 % 200}.{1 + number // 250 % 200}.{1 + number % 250}"


def _request(method: str, number: int, more: str = "", target: str = f"sip:{DOMAIN}", via: str = HOST) -> bytes:
    return (
        f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via}:9;branch=z9hG4bKf{number};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:x@{DOMAIN}>;tag=f{number}\r\nTo: <sip:202@{DOMAIN}>\r\nCall-ID: flood-{number}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:x@{HOST}:9>\r\n{more}Content-Length: 0\r\n\r\n"
    ).encode()


_WRONG = (
    'Authorization: Digest username="auth202", realm="realm-1", nonce="x", uri="sip:x", response="y", '
    'algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\r\n'
)

KINDS: dict[str, Callable[[int], bytes]] = {
    "REGISTER without credentials": lambda n: _request("REGISTER", n),
    "REGISTER with forged ones": lambda n: _request("REGISTER", n, _WRONG),
    "INVITE without ACK": lambda n: _request("INVITE", n, target=f"sip:202@{DOMAIN}"),
    "OPTIONS": lambda n: _request("OPTIONS", n),
    "forged Via": lambda n: _request("OPTIONS", n, via=f"198.51.100.{n % 250 + 1}"),
    "CANCEL of nothing": lambda n: _request("CANCEL", n, target=f"sip:202@{DOMAIN}"),
    "responses to nothing": lambda n: _request("OPTIONS", n).replace(
        b"OPTIONS sip:demo.tandem.test SIP/2.0", b"SIP/2.0 200 OK"
    ),
    "headers of 60 kB": lambda n: _request("OPTIONS", n, "X: a" + " " * 60_000 + "b\r\n"),
    "200 contacts": lambda n: _request(
        "REGISTER", n, "".join(f"Contact: <sip:a@{HOST}:{k}>\r\n" for k in range(1, 200))
    ),
    "noise": lambda n: bytes((n * k) % 256 for k in range(200)),
}
