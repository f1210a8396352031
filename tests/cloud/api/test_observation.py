"""What is asked of an edge while somebody waits: the ladder of a call, its capture file, the edge's figures."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from cloud.api.app import make_app
from cloud.api.wsgi import make_wsgi
from cloud.models import Command
from cloud.pbx.commands import finish_command
from contract.sync.dhcp import DhcpLease, DhcpStatus
from contract.sync.ladder import Ladder
from contract.sync.live_calls import CallInProgress, CallsInProgress
from contract.sync.messages import Command as Asked
from contract.sync.messages import CommandResult
from contract.sync.questions import EdgeFigures
from tests.support.answering_edge import answering_edge, small_ladder
from tests.support.api_things import new_call
from tests.support.api_world import ApiWorld, Client
from tests.support.customers import EdgeAtSite, HandClock, enrolled_edge

LADDER = small_ladder()
LEASE = DhcpLease(
    address="192.0.2.10", mac="001565000001", switch_port="ge-0/3", ends_at=datetime(2026, 1, 1, tzinfo=UTC)
)
PCAP = b"\xd4\xc3\xb2\xa1\x00\xff"


@pytest.fixture
def edge(world: ApiWorld) -> EdgeAtSite:
    return enrolled_edge(world.databases.api, world.ours, world.clock.now())


@pytest.fixture
def call(world: ApiWorld, edge: EdgeAtSite) -> str:
    """The address of a call's ladder."""
    record = new_call(world, world.ours, edge.known.edge_id, "call-1")
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(record)
    return f"/sites/{world.ours.site_id}/calls/{record.id}/ladder"


@contextmanager
def online(world: ApiWorld, edge: EdgeAtSite, *results: tuple[bool, str]) -> Iterator[list[Asked]]:
    """The edge is connected and answers with these results in turn, and then no more."""
    answers = iter(results)
    with answering_edge(world.databases, edge.known, world.clock, lambda _: next(answers, None)) as asked:
        yield asked


def test_calls_in_progress_and_the_messages_of_one_are_asked_of_the_edge(world: ApiWorld, edge: EdgeAtSite) -> None:
    call = CallInProgress(
        sip_call_id="live 1/%?", caller="200", callee="201", started_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    calls = CallsInProgress(calls=(call,), total=1)
    where = f"/edges/{edge.known.edge_id}/live-calls"
    asked_for = f"{where}/ladder?{urlencode({'sip_call_id': call.sip_call_id})}"
    with online(world, edge, (True, calls.model_dump_json()), (True, LADDER.model_dump_json()), (True, "")) as asked:
        shown = world.admin.get(where)
        ladder = world.admin.get(asked_for)
        gone = world.admin.get(asked_for)
    assert CallsInProgress.model_validate_json(shown.body) == calls
    assert Ladder.model_validate_json(ladder.body) == LADDER
    assert gone.status == 404
    assert [(one.name, one.arguments) for one in asked] == [
        ("live_calls", {}),
        ("call_ladder", {"sip_call_id": "live 1/%?"}),
        ("call_ladder", {"sip_call_id": "live 1/%?"}),
    ]


def test_calls_in_progress_at_another_tenants_edge_are_not_there(world: ApiWorld, edge: EdgeAtSite) -> None:
    for path in ("live-calls", "live-calls/ladder?sip_call_id=x"):
        assert world.stranger.get(f"/edges/{edge.known.edge_id}/{path}").status == 404


def test_the_messages_of_a_call_are_asked_of_its_edge(world: ApiWorld, edge: EdgeAtSite, call: str) -> None:
    with online(world, edge, (True, LADDER.model_dump_json())) as asked:
        answer = world.admin.get(call)
    assert answer.status == 200, answer.body
    assert Ladder.model_validate_json(answer.body) == LADDER
    assert [(one.name, one.arguments) for one in asked] == [("call_ladder", {"sip_call_id": "call-1"})]


def test_the_capture_file_is_handed_out_as_bytes(world: ApiWorld, edge: EdgeAtSite, call: str) -> None:
    with online(world, edge, (True, b64encode(PCAP).decode())) as asked:
        answer = world.admin.get(f"{call}.pcap", {"Accept": "application/octet-stream"})
    assert (answer.status, answer.body) == (200, PCAP)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].endswith('.pcap"')
    assert [one.name for one in asked] == ["call_pcap"]


def test_the_figures_of_an_edge_are_asked_of_it(world: ApiWorld, edge: EdgeAtSite) -> None:
    told = EdgeFigures(processes={"sip": {"calls": 2, "dropped.not_sip": 7}})
    with online(world, edge, (True, told.model_dump_json())):
        answer = world.admin.get(f"/edges/{edge.known.edge_id}/figures")
    assert answer.json == {"processes": {"sip": {"calls": 2, "dropped.not_sip": 7}}}


def test_leases_and_other_dhcp_servers_are_asked_of_an_edge(world: ApiWorld, edge: EdgeAtSite) -> None:
    told = DhcpStatus(state="serving", pool_size=51, pool_free=50, leases=(LEASE,))
    with online(world, edge, (True, told.model_dump_json())) as asked:
        answer = world.admin.get(f"/edges/{edge.known.edge_id}/dhcp")
    assert [one.name for one in asked] == ["dhcp_status"]
    assert (answer.json["state"], answer.json["pool_free"]) == ("serving", 50)
    assert answer.json["leases"][0]["switch_port"] == "ge-0/3"


def test_nothing_of_an_answer_is_kept(world: ApiWorld, edge: EdgeAtSite, call: str) -> None:
    with online(world, edge, (True, LADDER.model_dump_json())):
        world.admin.get(call)
    with world.databases.api.session(world.ours.scope) as session:
        assert [(row.ok, row.result) for row in session.query(Command)] == [(True, "")]


def test_an_edge_that_is_not_connected_is_named_as_the_reason(world: ApiWorld, call: str) -> None:
    answer = world.admin.get(call)
    assert (answer.status, answer.json["type"]) == (503, "urn:tandem:problem:edge-offline")


def test_a_call_that_the_edge_no_longer_remembers_is_not_found(world: ApiWorld, edge: EdgeAtSite, call: str) -> None:
    with online(world, edge, (True, "")):
        answer = world.admin.get(call)
    assert answer.status == 404
    assert "remembers no messages" in answer.json["detail"]


def test_an_edge_that_cannot_answer_is_named_as_the_reason(world: ApiWorld, edge: EdgeAtSite, call: str) -> None:
    with online(world, edge, (False, "")):
        answer = world.admin.get(call)
    assert (answer.status, answer.json["type"]) == (502, "urn:tandem:problem:edge-cannot-answer")


def test_an_edge_that_is_silent_is_not_waited_for_longer_and_a_late_answer_is_not_kept(
    world: ApiWorld, edge: EdgeAtSite, call: str
) -> None:
    class Hasty(HandClock):
        """Three seconds pass whenever somebody looks."""

        def monotonic(self) -> float:
            self.advance(3.0)
            return super().monotonic()

    hasty = Hasty()
    services = replace(world.services, clock=hasty)
    admin = Client(make_wsgi(make_app(services)), world.admin.token)
    with online(world, edge) as asked:
        answer = admin.get(call)
        assert (answer.status, answer.json["type"]) == (504, "urn:tandem:problem:edge-silent")
        with world.databases.hub.session(edge.known.scope) as session:
            late = CommandResult(command_id=asked[0].command_id, ok=True, content=LADDER.model_dump_json())
            assert not finish_command(session, edge.known, late, world.clock.now())
    with world.databases.api.session(world.ours.scope) as session:
        assert [row.result for row in session.query(Command)] == [""]


def test_a_call_is_asked_about_at_its_own_site_only_and_by_its_own_tenant_only(
    world: ApiWorld, edge: EdgeAtSite, call: str
) -> None:
    with online(world, edge, (True, LADDER.model_dump_json())) as asked:
        of_edge = f"/edges/{edge.known.edge_id}"
        for target in (call, f"{call}.pcap", f"{of_edge}/figures", f"{of_edge}/dhcp"):
            assert world.stranger.get(target).status == 404
            assert world.user.get(target).status == 403
        elsewhere = call.replace(str(world.ours.site_id), str(world.theirs.site_id))
        assert world.admin.get(elsewhere).status == 404
    assert asked == []
