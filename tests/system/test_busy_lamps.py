"""Busy lamps of a whole office against a real edge whose cloud is away: they follow calls within a second.

`python -m benchmarks.busy_lamps` does the same with 1,000 phones of 20 lamps each and prints the CPU.
"""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from benchmarks.sip.server import DOMAIN, FIRST_USER, snapshot, snapshot_secrets
from tests.support.busy_lamps import Office, delays
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.waiting import eventually_async

USERS, WATCHED, CALLS = 60, 20, 30
SECONDS_OF_A_LAMP = 1.0
"""What the product promises."""


@pytest.fixture
def edge(tmp_path: Path) -> EdgeProcess:
    state = tmp_path / "edge"
    state.mkdir()
    prepare_state(state, snapshot(), snapshot_secrets())
    return EdgeProcess(state)


@pytest.mark.timeout(180)
async def test_lamps_follow_ten_calls_a_second_within_a_second(edge: EdgeProcess) -> None:
    port = edge.ports()["sip_udp"]
    office = Office(("127.0.0.1", port), DOMAIN, FIRST_USER, USERS, WATCHED)
    await office.open()
    try:
        await office.register(list(range(USERS)))
        await office.subscribe()
        calls = []
        for number in range(CALLS):
            caller, callee = (2 * number) % USERS, (2 * number + 1) % USERS
            calls.append(asyncio.create_task(office.call(caller, callee, 0.7, 0.8)))
            await asyncio.sleep(0.1)  # ten calls a second are what is measured
        made = await asyncio.gather(*calls)
        await eventually_async(lambda: delays(office, made)[1] == 0)
        found, missing = delays(office, made)
        found.sort()
        print(
            f"{len(found)} changes of lamps: median {found[len(found) // 2]:.3f} s, longest {found[-1]:.3f} s; "
            f"{office.notifies.total()} NOTIFYs"
        )
        assert missing == 0
        assert found[-1] < SECONDS_OF_A_LAMP
    finally:
        office.close()
        edge.stop()


def kept_calls(state: Path) -> int:
    """How many answered calls lamps could be lit for after a kill."""
    with contextlib.closing(sqlite3.connect(f"file:{state / 'events.db'}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM kept WHERE kind = 'dialog'").fetchone()
    return int(count)


@pytest.mark.timeout(120)
async def test_the_lamp_of_a_call_is_lit_after_the_edge_was_killed_and_goes_dark_when_it_ends(
    edge: EdgeProcess, tmp_path: Path
) -> None:
    port = edge.ports()["sip_udp"]
    office = Office(("127.0.0.1", port), DOMAIN, FIRST_USER, 3, 2)
    await office.open()
    try:
        await office.register([0, 1, 2])
        await office.subscribe()
        talking = asyncio.create_task(office.call(0, 1, 0.1, 30.0))
        lamp = (2, 1)

        def shown() -> list[str]:
            calls = office.calls.values()
            return [state for call in calls for state, _ in call.told.get(lamp, [])]

        await eventually_async(lambda: "confirmed" in shown(), within=25)
        # What is told is on the disk by the end of the batch in which it leaves.
        await eventually_async(lambda: kept_calls(tmp_path / "edge") > 0, what="the call is kept")
        edge.kill()
        before = len(shown())
        edge = EdgeProcess(tmp_path / "edge", {"TANDEM_EDGE_SIP_UDP_PORT": str(port)})
        await eventually_async(lambda: "confirmed" in shown()[before:], within=25, what="lit again")
        assert not talking.done()
        await talking
        await eventually_async(lambda: shown()[-1] == "terminated")
    finally:
        office.close()
        edge.stop()
