"""The same load on any SIP server: sipp as caller and callee on loopback, and what the server's processes spent."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.cpu import wait_quiet
from tests.support import sipp
from tests.support.sipp import Sipp, SippAccount, free_udp_port

AT_ONCE: Final = 20
"""How many calls or registrations are in flight when the rate is as high as the server allows."""
_AS_FAST_AS_IT_GOES: Final = 20_000
_WITHIN: Final = 110.0


@dataclass(frozen=True)
class SipServer:
    """A server under load.

    Args:
        name: for people.
        target: `host:port`, UDP.
        caller: who calls and registers.
        callee: who is called.
        spent: CPU seconds so far, by what is counted; the last one is everything that the server consists of.
    """

    name: str
    target: str
    caller: SippAccount
    callee: SippAccount
    spent: Mapping[str, Callable[[], float]]
    answer_port: int

    @classmethod
    def of(
        cls, name: str, target: str, accounts: tuple[SippAccount, SippAccount], spent: Mapping[str, Callable[[], float]]
    ) -> "SipServer":
        """A server whose callee always answers at one port: other ports would be further contacts to fork to."""
        return cls(name, target, *accounts, spent, free_udp_port())


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run cost.

    Args:
        micros: CPU µs for each call or registration, by what is counted.
        rate: how many there were a second.
    """

    micros: dict[str, float]
    rate: float


def calls(server: SipServer, count: int, rate: int | None) -> Spent:
    """INVITE 407 ACK INVITE 100 180 200 ACK BYE 200, `count` times; each is answered at once and hung up at once.

    Args:
        rate: calls a second; None for as many as the server takes with `AT_ONCE` in flight.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = Path(name)
        callee = (server.callee.row(str(server.answer_port)),)
        sipp.run(folder, "register", server.target, callee)
        with Sipp(folder, "answer", calls=count, port=server.answer_port) as answering:

            def load() -> None:
                rows = (server.caller.row(server.callee.username),)
                options = {"talk_ms": 0, **_pace(rate)}
                sipp.run(folder, "call", server.target, rows, _WITHIN, calls=count, **options)

            spent = _measured(server, count, load)
            answering.finish(within=20)
        return spent


def registrations(server: SipServer, count: int, rate: int | None) -> Spent:
    """REGISTER 401 REGISTER 200, `count` times; arguments as for `calls`."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        rows = (server.caller.row(str(server.answer_port)),)

        def load() -> None:
            sipp.run(Path(name), "register", server.target, rows, _WITHIN, calls=count, **_pace(rate))

        return _measured(server, count, load)


def _pace(rate: int | None) -> dict[str, int]:
    return {"rate": _AS_FAST_AS_IT_GOES, "at_once": AT_ONCE} if rate is None else {"rate": rate}


def _measured(server: SipServer, count: int, load: Callable[[], None]) -> Spent:
    everything = list(server.spent.values())[-1]
    wait_quiet(everything)
    before = {what: spent() for what, spent in server.spent.items()}
    began = time.monotonic()
    load()
    seconds = time.monotonic() - began
    wait_quiet(everything)  # records and reports are written after the last answer
    return Spent(
        {what: (spent() - before[what]) / count * 1e6 for what, spent in server.spent.items()}, count / seconds
    )
