"""The site works while the cloud is away, and what happened meanwhile arrives afterwards, each once."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cloud.local.phone_files import fetch_by_http, fetch_by_tftp
from cloud.local.system import LocalSystem
from tests.support import sipp
from tests.support.waiting import eventually
from tests.system.conftest import Site

ARRIVED_WITHIN = 10.0
CALLS = 20


def cut_the_cloud(system: LocalSystem) -> None:
    """Hub, API and database gone, as a power cut would take them."""
    for name in ("hub", "api", "functions"):
        system.parts[name].kill()
    system.stop_database(kill=True)


def bring_the_cloud_back(system: LocalSystem) -> None:
    system.start_database()
    for name in ("hub", "api", "functions"):
        system.start_part(name)
    for name in ("hub", "api", "functions"):
        system.parts[name].wait_ready(60)


def call_both_ways(site: Site, folder: Path, calls: int) -> None:
    """Phone 1 registers a sipp that answers; phone 0 calls it."""
    with sipp.Sipp(folder, "answer", calls=calls) as answering:
        sipp.run(folder, "register", site.target, (site.sipp(1).row(str(answering.port)),))
        row = site.sipp(0).row(site.accounts[1].username)
        sipp.run(folder, "call", site.target, (row,), calls=calls, rate=10)
        answering.finish(within=20)


@pytest.mark.peer("sipp", "tftp")
def test_a_site_works_with_the_cloud_gone_and_its_calls_arrive_once_within_ten_seconds_of_its_return(
    own_system: LocalSystem, tmp_path: Path, report_delay: Callable[[str, float, float], None]
) -> None:
    site = Site(own_system)
    first, second = site.running.phones
    cut_the_cloud(own_system)

    assert "account.1.user_name" in fetch_by_tftp(first.host, first.tftp_port, first.file)
    assert "account.1.username" in fetch_by_http(second.host, second.http_port, second.file)
    call_both_ways(site, tmp_path, CALLS)

    bring_the_cloud_back(own_system)
    began = time.monotonic()

    def records() -> Counter[str]:
        return Counter(call["sip_call_id"] for call in site.api.items(f"/calls?site_id={site.running.site_id}"))

    eventually(lambda: len(records()) >= CALLS, within=ARRIVED_WITHIN, what=f"{CALLS} records after the outage")
    report_delay(f"{CALLS} calls of an outage reach the cloud", time.monotonic() - began, ARRIVED_WITHIN)
    assert set(records().values()) == {1}
    assert len(records()) == CALLS


@pytest.mark.peer("sipp")
def test_an_agent_killed_in_the_middle_comes_back_with_every_binding_and_every_event(
    own_system: LocalSystem, tmp_path: Path
) -> None:
    site = Site(own_system)
    cut_the_cloud(own_system)
    call_both_ways(site, tmp_path, CALLS)
    with site.phone(0) as phone, sipp.Sipp(tmp_path, "answer", calls=1) as answering:
        assert phone.register().status == 200
        sipp.run(tmp_path, "register", site.target, (site.sipp(1).row(str(answering.port)),))
        with sipp.Sipp(tmp_path, "call", site.target, (site.sipp(0).row(site.accounts[1].username),), talk_ms=60_000):
            open_call = Path(site.running.edge_state_dir) / "outbox.db"
            eventually(lambda: _open_calls(open_call) == 1, what="an answered call in progress")
            own_system.parts["edge"].kill()
            own_system.start_part("edge")
            own_system.parts["edge"].wait_ready(60)
        contact = phone.query().header("Contact") or ""
        assert f"@127.0.0.1:{phone.port}" in contact, "the binding of the phone is there without registering again"

    bring_the_cloud_back(own_system)

    def calls() -> list[dict[str, object]]:
        return list(site.api.items(f"/calls?site_id={site.running.site_id}"))

    eventually(lambda: len(calls()) == CALLS + 1, within=ARRIVED_WITHIN, what="every record, the cut-off call's too")
    cut_off = [call for call in calls() if call["interrupted"]]
    assert [call["disposition"] for call in cut_off] == ["answered"]
    registered = {row["user_id"] for row in site.api.items(f"/registrations?site_id={site.running.site_id}")}
    assert site.user_id(0) in registered


def _open_calls(database: Path) -> int:
    """Answered calls in progress, as the edge keeps them."""
    question = "select count(*) from open_calls where json_extract(call, '$.answered_at') is not null"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(question).fetchone()[0]
        return found
