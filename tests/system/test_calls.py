"""Calls through the whole: real user agents, the edge, and records in the cloud."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloud.local.system import LocalSystem
from tests.support import sipp
from tests.support.waiting import eventually
from tests.system.conftest import Site

CALLS = 1000
CALLS_PER_SECOND = 50


@pytest.mark.peer("baresip", "tftp")
def test_two_real_phones_fetch_their_files_register_and_talk_directly(system: LocalSystem) -> None:
    command = [sys.executable, "-m", "cloud.local.demo", "--state-dir", str(system.settings.state_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"disposition": "answered"' in done.stdout


@pytest.mark.peer("sipp")
@pytest.mark.timeout(180)
def test_a_thousand_calls_at_fifty_a_second_leave_a_thousand_records(site: Site, tmp_path: Path) -> None:
    def records() -> int:
        return sum(1 for call in site.api.items(f"/calls?site_id={site.running.site_id}") if is_load(call))

    def is_load(call: dict[str, object]) -> bool:
        return call["disposition"] == "answered" and str(call["sip_call_id"]).endswith("@127.0.0.1")

    before = records()
    with sipp.Sipp(tmp_path, "answer", calls=CALLS) as answering:
        sipp.run(tmp_path, "register", site.target, (site.sipp(1).row(str(answering.port)),))
        sipp.run(
            tmp_path,
            "call",
            site.target,
            (site.sipp(0).row(site.accounts[1].username),),
            within=90,
            calls=CALLS,
            rate=CALLS_PER_SECOND,
        )
        answering.finish(within=20)
    eventually(lambda: records() - before == CALLS, within=30, what=f"{CALLS} records in the cloud")
