"""`python -m benchmarks.media.relay [SECONDS]`: CPU of a relayed call, beside passing datagrams on without any rule.

Both carry the same calls in turn: PCMU, 20 ms, both ways. The one beside it looks at nothing and learns nobody, so the
ratio is the price of the relay's rules on top of receiving and sending in Python.
"""

import asyncio
import functools
import multiprocessing
import socket
import statistics
import struct
import sys
import time
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.cpu import cpu_seconds
from edge_agent.clock import SystemClock
from edge_agent.media.embedded.sockets import drain, send
from edge_agent.media.relay.relay import RtpRelay
from edge_agent.ports import RelayedStream, RelayEnd

CALLS: Final = 20
ROUNDS: Final = 5
TICK: Final = 0.02
FIRST_PORT: Final = 42_000
Pair = tuple[RelayEnd, RelayEnd]


def _bare(pairs: list[Pair]) -> None:
    """Sockets that pass on whatever comes."""
    loop = asyncio.get_running_loop()

    def pass_on(here: socket.socket, leaving: socket.socket, to: tuple[str, int]) -> None:
        for data, _ in drain(here):
            send(leaving, data, to)

    for first, second in pairs:
        one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for opened, end in ((one, first), (other, second)):
            opened.bind(("127.0.0.1", end.port))
            opened.setblocking(False)
        if first.media is not None and second.media is not None:
            loop.add_reader(one, functools.partial(pass_on, one, other, second.media))
            loop.add_reader(other, functools.partial(pass_on, other, one, first.media))


def _carry(pairs: list[Pair], bare: bool, ready: Connection) -> None:
    """The process that is measured."""

    async def run() -> None:
        if bare:
            _bare(pairs)
        else:
            RtpRelay("127.0.0.1", SystemClock()).carry([RelayedStream(*pair) for pair in pairs])
        ready.send(True)
        await asyncio.Event().wait()

    asyncio.run(run())


def measured(bare: bool, seconds: float) -> tuple[float, float]:
    """Percent of a core for one call, and the share of packets that arrived."""
    parties = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2 * CALLS)]
    for party in parties:
        party.bind(("127.0.0.1", 0))
        party.setblocking(False)
    ends = [RelayEnd(FIRST_PORT + 2 * index, False, each.getsockname()) for index, each in enumerate(parties)]
    pairs = list(zip(ends[::2], ends[1::2], strict=True))
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_carry, args=(pairs, bare, there), daemon=True)
    process.start()
    here.recv()
    pid = process.pid or 0
    before, began = cpu_seconds([pid]), time.monotonic()
    ticks = arrived = 0
    while time.monotonic() - began < seconds:
        ticks += 1
        packet = struct.pack("!BBHII", 0x80, 0, ticks & 0xFFFF, ticks * 160, 7) + bytes(160)
        for party, end in zip(parties, ends, strict=True):
            party.sendto(packet, ("127.0.0.1", end.port))
        time.sleep(max(0.0, began + ticks * TICK - time.monotonic()))
        arrived += sum(1 for party in parties for _ in drain(party))
    percent = 100 * (cpu_seconds([pid]) - before) / (time.monotonic() - began) / CALLS
    process.kill()
    process.join()
    for party in parties:
        party.close()
    return percent, arrived / (ticks * len(parties))


def main() -> None:
    """Print both, and the ratio of each round."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    ratios = []
    for number in range(ROUNDS):
        relay, heard = measured(False, seconds)
        bare, bare_heard = measured(True, seconds)
        ratios.append(relay / bare)
        print(
            f"round {number + 1}: relay {relay:.3f} % of a core a call ({heard:.1%} arrived), "
            f"bare {bare:.3f} % ({bare_heard:.1%}), ratio {ratios[-1]:.2f}"
        )
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), {CALLS} calls")


if __name__ == "__main__":
    main()
