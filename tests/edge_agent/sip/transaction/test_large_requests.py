"""Requests too long for a datagram go by TCP where the peer may have it (RFC 3261 §18.1.1)."""

import pytest

from edge_agent.sip.message import DEFAULT_LIMITS, Flow, Message, parse
from edge_agent.sip.transaction.large_requests import REFUSED_SECONDS, REMEMBERED, LargeRequests
from tests.edge_agent.sip.transaction.test_machines import World

PEER = Flow("udp", "192.0.2.9", 5060)
BY_TCP = Flow("tcp", "192.0.2.9", 5060)


def request(method: str = "INVITE", body: int = 1_200, uri: str = "sip:b@192.0.2.9", route: str = "") -> Message:
    return parse(
        f"{method} {uri} SIP/2.0\r\nMax-Forwards: 70\r\n{route}From: <sip:a@example.net>;tag=1\r\n"
        f"To: <sip:b@example.net>\r\nCall-ID: c1\r\nCSeq: 5 {method}\r\nContent-Length: {body}\r\n\r\n".encode()
        + b"x" * body
    )


def flow_of(message: Message, flow: Flow = PEER) -> Flow:
    return LargeRequests().flow(message, flow, DEFAULT_LIMITS, 0.0)


def test_what_may_be_longer_than_1300_bytes_with_our_via_goes_by_tcp_and_shorter_requests_do_not() -> None:
    assert flow_of(request()) == BY_TCP
    assert flow_of(request(body=600)) == PEER


@pytest.mark.parametrize(
    ("message", "flow"),
    [
        (request(uri="sip:b@192.0.2.9;transport=udp"), PEER),
        (request(uri="sip:b@10.0.0.9"), PEER),  # its NAT's address is not where it listens
        (request(uri="sip:b@x.test", route="Route: <sip:10.0.0.9;lr>\r\n"), PEER),
        (request(uri="sip:b@127.0.0.1"), Flow("udp", "127.0.0.1", 5060)),
        (request(uri="sip:b@[::1]"), Flow("udp", "::1", 5060)),
        (request(), Flow("tls", "192.0.2.9", 5061, 3)),
    ],
)
def test_a_peer_that_asks_for_udp_or_is_behind_nat_or_on_loopback_keeps_its_way(message: Message, flow: Flow) -> None:
    assert flow_of(message, flow) == flow


def test_the_topmost_route_says_whether_tcp_may_be_tried() -> None:
    assert flow_of(request(uri="sip:b@elsewhere.test", route="Route: <sip:192.0.2.9;lr>\r\n")) == BY_TCP


def test_who_refused_tcp_is_remembered_for_an_hour_and_their_number_is_bounded() -> None:
    large = LargeRequests()
    large.refused(BY_TCP, 0.0)
    assert large.flow(request(), PEER, DEFAULT_LIMITS, REFUSED_SECONDS - 1) == PEER
    assert large.flow(request(), PEER, DEFAULT_LIMITS, REFUSED_SECONDS) == BY_TCP
    large.refused(BY_TCP, 0.0)
    for number in range(REMEMBERED):
        large.refused(Flow("tcp", "192.0.2.10", 1 + number), 0.0)
    assert large.flow(request(), PEER, DEFAULT_LIMITS, 1.0) == BY_TCP


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_request_whose_tcp_connection_fails_goes_again_by_udp_in_the_same_transaction(method: str) -> None:
    world = World()
    client = world.layer.request(request(method), PEER, world, 0.0, b"cafe0123")
    assert [flow for _, _, flow in world.sent] == [BY_TCP]
    first = parse(world.sent[0][1]).via
    assert first.transport == b"TCP"
    world.layer.flow_failed(BY_TCP, 0.0)
    data, flow = world.sent[1][1:]
    second = parse(data)
    assert flow == PEER
    assert len(second.values(b"via")) == 1
    assert (second.via.transport, second.via.branch != first.branch) == (b"UDP", True)
    assert second.via.branch.endswith(b".cafe0123")
    world.run(0.5)
    assert len(world.sent) == 3  # retransmitted, as UDP asks for
    world.answer(200, request=data)
    assert [what for _, what in world.told] == ["200"]
    world.run(100)
    assert world.layer.client_count == 0
    assert client.flow == PEER
    # The peer is known now.
    world.layer.request(request(method), PEER, world, world.now)
    assert world.sent[-1][2] == PEER


def test_a_connection_that_breaks_after_an_answer_fails_the_request() -> None:
    world = World()
    world.layer.request(request(), PEER, world, 0.0)
    world.answer(180)
    world.layer.flow_failed(BY_TCP, 0.0)
    assert [what for _, what in world.told] == ["180", "unreachable"]
    assert len(world.sent) == 1


def test_a_cancelled_request_stays_cancelled_when_it_goes_again_by_udp() -> None:
    world = World()
    client = world.layer.request(request(), PEER, world, 0.0)
    client.cancel(0.0)  # type: ignore[union-attr]
    world.layer.flow_failed(BY_TCP, 0.0)
    world.answer(180, request=world.sent[-1][1])
    assert world.started == [b"INVITE", b"INVITE", b"CANCEL"]
    assert world.sent[-1][2] == PEER
