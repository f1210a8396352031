"""A short soak (`make soak` is the long one): calls go on while the agent, then its SIP process, is killed."""

from pathlib import Path

import pytest

from tests.soak.run import Soak

SECONDS, EVERY, CALLS_A_SECOND = 50.0, 25.0, 15.0


@pytest.mark.timeout(300)
async def test_calls_bindings_and_records_outlive_kills_of_the_agent_and_of_its_sip_process(tmp_path: Path) -> None:
    soak = Soak(tmp_path, SECONDS, EVERY, CALLS_A_SECOND)
    await soak.run()
    assert [kill.what for kill in soak.kills] == ["agent", "SIP process"]
    assert soak.outcomes["ended"] > 100
    assert soak.records["records"] > 100
    assert not soak.problems, soak.table()
