"""Floods against a real edge, in small (`make floods` has them in full)."""

from pathlib import Path

import pytest

from tests.floods.run import KINDS, Floods


@pytest.mark.timeout(240)
async def test_honest_phones_register_and_call_and_memory_stays_bounded_in_every_flood(tmp_path: Path) -> None:
    floods = Floods(tmp_path, connections=2_000, messages=1_500)
    await floods.run()
    assert len(floods.done) == 2 + len(KINDS)
    assert all(flood.honest["ended"] for flood in floods.done), floods.table()
    assert not floods.problems, floods.table()
