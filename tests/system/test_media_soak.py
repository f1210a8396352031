"""A short soak of voice services (`make soak-media` is the long one): the agent is killed, then the engine."""

from pathlib import Path

import pytest

from tests.media_soak.run import KINDS, MediaSoak

SECONDS, CALLERS = 30.0, 6


@pytest.mark.timeout(300)
async def test_no_acknowledged_message_is_lost_and_no_call_is_left_when_agent_and_engine_are_killed(
    tmp_path: Path,
) -> None:
    soak = MediaSoak(tmp_path, SECONDS, CALLERS, ((0.3, "agent"), (0.65, "engine")))
    await soak.run()
    assert [kill.what for kill in soak.kills] == ["agent", "engine"]
    assert all(kill.calls and kill.lost for kill in soak.kills)
    assert all(soak.outcomes[f"{kind}: ended"] for kind in KINDS), soak.table()
    assert soak.acknowledged.total() >= 3
    assert not soak.problems, soak.table()
