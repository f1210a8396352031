"""Which refusals lead to the next trunk, and which are the callee's own (RFC 3326, RFC 3398)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sip.message import parse
from edge_agent.sip.trunks.failures import cause_of, passed_on
from tests.support.trunk_world import OFFER, TrunkWorld, trunk


@pytest.mark.parametrize(
    ("status", "reason", "gets"),
    [
        (486, "", "486"),
        (404, "", "404"),
        (603, "", "603"),
        (403, "", "503"),
        (500, "", "503"),
        (502, "", "503"),
        (503, "", "503"),
        (503, "Reason: Q.850;cause=17;text=busy", "486"),
        (480, "Reason: Q.850;cause=34", "503"),
        (500, "Reason: SIP;cause=486, Q.850;cause=1", "404"),
        (484, "", "503"),
        (302, "", "503"),
    ],
)
def test_a_refusal_of_the_way_is_a_503_and_one_of_the_callee_is_his(status: int, reason: str, gets: str) -> None:
    world = TrunkWorld(trunk(fail_over_on=(484,)))
    world.call_out()
    world.provider.reply(status, headers=reason)
    assert world.edge.kinds() == ["100", gets]


def test_credentials_that_are_refused_lead_to_the_next_trunk() -> None:
    world = TrunkWorld()
    world.call_out()
    for nonce in "ab":
        world.provider.reply(407, headers=f'Proxy-Authenticate: Digest realm="p", nonce="{nonce}"')
    assert world.edge.newest("503")


def test_a_provider_that_says_nothing_is_left_after_two_seconds_and_for_the_next_calls() -> None:
    world = TrunkWorld(trunk(options_seconds=600))
    world.provider.reply(200, to="OPTIONS")
    world.call_out()
    world.wait(1.9)
    assert world.edge.kinds() == ["100"]
    world.wait(0.2)
    assert world.edge.newest("503")
    assert world.trunks.down == {"first"}
    # Should it ring after all, it is taken back; should it answer, it is hung up.
    world.provider.reply(200, b"v=0\r\n")
    assert world.provider.kinds()[-2:] == ["ACK", "BYE"]
    world.wait(6)
    world.provider.reply(200, to="OPTIONS")
    assert world.trunks.down == frozenset()


def test_a_100_in_time_keeps_a_call_with_its_provider() -> None:
    world = TrunkWorld()
    world.call_out()
    world.provider.reply(100)
    world.wait(30)
    assert world.edge.kinds() == ["100"]


def test_a_503_with_retry_after_keeps_calls_away_for_so_long() -> None:
    world = TrunkWorld()
    world.call_out()
    world.provider.reply(503, headers="Retry-After: 30")
    assert world.trunks.down == {"first"}
    world.wait(32)
    assert world.trunks.down == frozenset()


def test_a_provider_that_cannot_be_reached_is_left_at_once() -> None:
    world = TrunkWorld()
    world.call_out()
    world.trunks.outside.flow_failed(world.provider.flow, world.clock.monotonic())
    assert world.edge.newest("503")


@given(st.binary(max_size=80).filter(lambda text: b"\r" not in text and b"\n" not in text), st.integers(400, 699))
def test_any_reason_gives_a_status_that_a_proxy_understands(reason: bytes, status: int) -> None:
    head = b"SIP/2.0 500 x\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
    response = parse(head + b"Call-ID: 1\r\nCSeq: 1 INVITE\r\nReason: " + reason + b"\r\n\r\n")
    assert 0 <= cause_of(response) < 1000
    assert 400 <= passed_on(status, response, ()) < 700


def test_an_unknown_trunk_and_a_number_that_is_none_are_refused() -> None:
    world = TrunkWorld()
    world.call_out(trunk_id="other")
    assert world.edge.newest("503")
    world.edge.forget()
    world.edge.ask("INVITE", "sip:%22%20x;tgrp=first@127.0.0.1:5070", OFFER, call="inner-9", sender="<sip:200@x>")
    assert world.edge.newest("400")
