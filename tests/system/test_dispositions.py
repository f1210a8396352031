"""What a call came to, from the phones through the edge to the cloud's record of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw_callee import RawCallee
from tests.support.raw_sip import RawPhone
from tests.support.waiting import eventually
from tests.system.conftest import Site

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
"""An offer; nobody listens at its port."""


def record_of(site: Site, caller: RawPhone) -> dict[str, Any]:
    """The one record of the caller's call, once it is in the cloud."""

    def found() -> list[dict[str, Any]]:
        calls = site.api.items(f"/calls?site_id={site.running.site_id}")
        return [call for call in calls if call["sip_call_id"] == caller.call_id]

    eventually(lambda: len(found()) == 1, what="the call's record in the cloud")
    (record,) = found()
    return record


@pytest.mark.parametrize(
    ("answers", "heard", "disposition"),
    [((180, 486), 486, "busy"), ((180, 480), 480, "no_answer"), ((404,), 404, "failed")],
    ids=["busy", "no-answer", "failed"],
)
def test_a_call_that_nobody_takes_is_recorded_as_what_it_came_to(
    site: Site, answers: tuple[int, ...], heard: int, disposition: str
) -> None:
    with site.phone(0, timeout=5) as caller, site.phone(1, timeout=0.2) as phone, RawCallee(phone, answers):
        answer = caller.invite(site.accounts[1].username)
        record = record_of(site, caller)
    assert answer.status == heard
    assert (record["disposition"], record["status"], record["answered_at"]) == (disposition, heard, None)
    assert (record["caller"], record["callee"]) == (site.accounts[0].username, site.accounts[1].username)
    assert record["callee_user_id"] == site.user_id(1)


def test_the_messages_of_a_call_are_shown_in_the_cloud_without_their_secrets(site: Site, tmp_path: Path) -> None:
    with site.phone(0, timeout=5) as caller, site.phone(1, timeout=2) as phone, RawCallee(phone, (180, 486)):
        caller.invite(site.accounts[1].username, sdp=SDP)
        record = record_of(site, caller)
    path = f"/sites/{site.running.site_id}/calls/{record['id']}/ladder"
    ladder = site.api.get(path)
    callee = next(i for i, one in enumerate(ladder["participants"]) if one["name"] == site.accounts[1].username)
    assert {(one["source"], one["target"], one["method"], one["status"]) for one in ladder["arrows"]} == {
        (1, 0, "INVITE", 0),
        (0, 1, "INVITE", 407),
        (1, 0, "ACK", 0),
        (0, 1, "INVITE", 100),
        (0, callee, "INVITE", 0),
        (callee, 0, "INVITE", 180),
        (0, 1, "INVITE", 180),
        (callee, 0, "INVITE", 486),
        (0, callee, "ACK", 0),
        (0, 1, "INVITE", 486),
    }
    assert [one["method"] for one in ladder["arrows"][:3]] == ["INVITE", "INVITE", "ACK"]
    assert any('response="xxxxxxxx' in one["text"] for one in ladder["arrows"])
    figures = f"/edges/{record['edge_id']}/figures"
    eventually(lambda: site.api.get(figures)["processes"]["sip"].get("answers.4xx", 0) >= 2, within=30)
    file = tmp_path / "call.pcap"
    file.write_bytes(site.api.fetch(f"{path}.pcap"))
    assert file.read_bytes().startswith(b"\xd4\xc3\xb2\xa1")


def test_a_call_that_the_caller_takes_back_is_recorded_as_cancelled(site: Site) -> None:
    with (
        site.phone(0, timeout=5) as caller,
        site.phone(1, timeout=0.2) as phone,
        RawCallee(phone, (180,)) as callee,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(caller.invite, site.accounts[1].username)
        assert callee.ringing.wait(10)
        caller.cancel(site.accounts[1].username)
        assert answer.result(timeout=10).status == 487
        assert callee.cancelled.wait(10)
        record = record_of(site, caller)
    assert (record["disposition"], record["status"]) == ("cancelled", 487)


def test_a_forked_call_is_one_record_and_the_phone_that_lost_is_cancelled(site: Site) -> None:
    with (
        site.phone(0, timeout=5) as caller,
        site.phone(1, timeout=0.2) as slow,
        site.phone(1, timeout=0.2) as quick,
        RawCallee(slow, (180,)) as lost,
        RawCallee(quick, (180, 200)),
    ):
        answer = caller.invite(site.accounts[1].username)
        assert answer.status == 200
        assert lost.cancelled.wait(10)
        assert caller.hang_up(answer).status == 200
        record = record_of(site, caller)
    assert (record["disposition"], record["status"]) == ("answered", 200)
    assert record["answered_at"] is not None
    assert record["ended_at"] >= record["answered_at"] >= record["started_at"]


def test_the_echo_is_reached_by_dialling_and_its_call_is_recorded(site: Site) -> None:
    with site.phone(0, timeout=5) as caller:
        answer = caller.invite("*99", SDP)
        assert answer.status == 200
        assert "m=audio" in answer.text
        assert caller.hang_up(answer).status == 200
        record = record_of(site, caller)
    assert (record["callee"], record["disposition"]) == ("*99", "answered")
    assert record["callee_user_id"] is None


def test_a_number_that_nobody_has_is_refused_and_recorded_with_the_reason(site: Site) -> None:
    with site.phone(0, timeout=5) as caller:
        assert caller.invite("299").status == 404
        record = record_of(site, caller)
    assert (record["disposition"], record["status"], record["callee"]) == ("failed", 404, "299")
    assert record["reasons"]
