"""`python -m benchmarks.busy_lamps [USERS]`: every phone watches 20 others while ten calls a second come and go."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.cpu import cpu_seconds, descendant_running, memory_mb
from benchmarks.sip.edge import SIP_PROCESS
from benchmarks.sip.server import DOMAIN, FIRST_USER, snapshot, snapshot_secrets
from tests.support.busy_lamps import Office, delays
from tests.support.edge_process import EdgeProcess, prepare_state

WATCHED: Final = 20
CALLS_A_SECOND: Final = 10
SECONDS: Final = 30


async def measure(edge: EdgeProcess, users: int) -> None:
    """Print how late lamps are and what they cost."""
    sip = descendant_running(edge.process.pid, SIP_PROCESS)
    office = Office(("127.0.0.1", edge.ports()["sip_udp"]), DOMAIN, FIRST_USER, users, WATCHED)
    await office.open()
    try:
        await office.register(list(range(min(users, 200))))
        begun, spent = time.monotonic(), cpu_seconds([sip])
        await office.subscribe()
        print(
            f"{users * WATCHED} subscriptions in {time.monotonic() - begun:.0f} s, "
            f"{(cpu_seconds([sip]) - spent) / users / WATCHED * 1e6:.0f} µs of CPU each; {office.shed} put off; "
            f"{memory_mb(sip):.0f} MB"
        )
        calls, told, spent, begun = [], office.notifies.total(), cpu_seconds([sip]), time.monotonic()
        for number in range(CALLS_A_SECOND * SECONDS):
            caller, callee = (2 * number) % min(users, 200), (2 * number + 1) % min(users, 200)
            calls.append(asyncio.create_task(office.call(caller, callee, 2.0, 5.0)))
            await asyncio.sleep(max(0.0, begun + (number + 1) / CALLS_A_SECOND - time.monotonic()))
        ended = await asyncio.gather(*calls, return_exceptions=True)
        made = [one for one in ended if not isinstance(one, BaseException)]
        await asyncio.sleep(2)
        spent, told = cpu_seconds([sip]) - spent, office.notifies.total() - told
        found, missing = delays(office, made)
        found.sort()
        print(
            f"{len(made)} calls of {len(ended)}: {told} NOTIFYs, {spent / told * 1e6:.0f} µs of CPU each, calls in it; "
            f"{spent / (time.monotonic() - begun) * 100:.0f} % of a core"
        )
        print(
            f"{len(found)} changes of lamps: median {found[len(found) // 2]:.3f} s, 99 % within "
            f"{found[int(len(found) * 0.99)]:.3f} s, longest {found[-1]:.3f} s; {missing} never shown"
        )
    finally:
        office.close()


def main() -> int:
    """0 when it ran."""
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        state = Path(folder) / "edge"
        state.mkdir()
        prepare_state(state, snapshot(), snapshot_secrets())
        edge = EdgeProcess(state, {"TANDEM_EDGE_SUPERVISION_HEARTBEAT_SECONDS": "5"})
        try:
            edge.ready(60)
            asyncio.run(measure(edge, users))
        finally:
            edge.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
