"""A request to a name is a transaction of its own at each hop (RFC 3263 §4.3), with a clock moved by hand."""

from collections.abc import Callable

import pytest

from edge_agent.sip.message import Flow, Message, parse, response_bytes
from edge_agent.sip.message.flow import TO_A_NAME_ANYHOW
from edge_agent.sip.transaction import NamedRequest
from edge_agent.sip.transaction.named_request import ATTEMPTS
from tests.edge_agent.sip.transaction.test_machines import World

NAME = Flow("udp", "itsp.test", 0, TO_A_NAME_ANYHOW)
FIRST, SECOND = Flow("udp", "192.0.2.8", 5060), Flow("udp", "192.0.2.9", 5060)
OVER_TCP = Flow("tcp", "192.0.2.7", 5060)


class Names(World):
    """A layer that looks names up here."""

    def __init__(self, *hops: Flow) -> None:
        super().__init__()
        self.layer.finder = self
        self.asked: list[Callable[[tuple[Flow, ...], float], None]] = []
        self.hops = hops
        self.dead: list[Flow] = []
        self.wished: list[float | None] = []
        self.living: list[Flow] = []

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        assert flow == NAME
        if self.hops:
            found(self.hops, now)
        else:
            self.asked.append(found)

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        self.dead.append(hop)
        self.wished.append(wished_seconds)

    def answered(self, flow: Flow, hop: Flow) -> None:
        self.living.append(hop)

    def ask(self, method: bytes = b"INVITE", on_hop: Callable[[Message, Flow], None] | None = None) -> NamedRequest:
        client = self.layer.request(request(method), NAME, self, self.now, b"", on_hop)
        assert isinstance(client, NamedRequest)
        return client

    def reply(self, number: int, status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Answer what was sent as the `number`th message."""
        sent = parse(self.sent[number][1])
        self.layer.receive(parse(response_bytes(sent, status, to_tag=b"t", headers=headers)), self.now)

    def went(self) -> list[tuple[str, str]]:
        """Method and host of everything that was sent."""
        return [(data.split(b" ")[0].decode(), flow.host) for _, data, flow in self.sent]


def request(method: bytes) -> Message:
    return parse(
        method + b" sip:a@itsp.test SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:b@x.test>;tag=1\r\nTo: <sip:a@itsp.test>"
        b"\r\nCall-ID: c\r\nCSeq: 1 " + method + b"\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b"18000;duration=3600", 18000.0),
        (b"120 (I'm in a meeting)", 120.0),
        (b"0", 0.0),
        (b"soon", None),
        (b"-5", None),
        (b"99999999999", None),
        (b"", None),
    ],
)
def test_a_503_says_how_long_its_hop_is_to_be_left_alone(value: bytes, seconds: float | None) -> None:
    world = Names(FIRST, SECOND)
    world.ask()
    world.reply(0, 503, ((b"Retry-After", value),))
    assert (world.dead, world.wished) == ([FIRST], [seconds])


def branches(world: Names, method: bytes) -> list[bytes]:
    found = [parse(data).via.branch for _, data, _ in world.sent if data.startswith(method + b" ")]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("method", [b"INVITE", b"MESSAGE"])
def test_a_503_of_one_hop_sends_the_request_to_the_next_under_another_branch(method: bytes) -> None:
    world = Names(FIRST, SECOND)
    world.ask(method)
    world.reply(0, 100)
    world.reply(0, 503)
    assert world.went()[-1] == (method.decode(), SECOND.host)
    assert len(branches(world, method)) == 2
    world.reply(len(world.sent) - 1, 200)
    # The owner hears one transaction: nothing of the 503.
    assert [what for _, what in world.told] == ["100", "200"]
    assert (world.dead, world.living) == ([FIRST], [FIRST, SECOND])


def test_the_503_of_the_last_hop_goes_up() -> None:
    world = Names(FIRST, SECOND)
    world.ask()
    world.reply(0, 503)
    world.reply(len(world.sent) - 1, 503)
    assert [what for _, what in world.told] == ["503"]


@pytest.mark.parametrize("status", [404, 486, 500, 504, 603])
def test_an_answer_other_than_503_is_the_answer(status: int) -> None:
    world = Names(FIRST, SECOND)
    world.ask()
    world.reply(0, status)
    assert [what for _, what in world.told] == [str(status)]
    assert {host for _, host in world.went()} == {FIRST.host}


def test_a_hop_that_cannot_be_reached_is_followed_by_the_next_at_once_and_the_last_is_told() -> None:
    world = Names(OVER_TCP, SECOND)
    world.ask()
    world.layer.flow_failed(OVER_TCP, 0.0)
    assert world.went() == [("INVITE", OVER_TCP.host), ("INVITE", SECOND.host)]
    world.layer.flow_failed(SECOND, 0.0)
    assert [what for _, what in world.told] == ["unreachable"]
    assert world.dead == [OVER_TCP, SECOND]
    assert world.layer.client_count == 0


@pytest.mark.parametrize("method", [b"INVITE", b"OPTIONS"])
def test_three_seconds_of_silence_by_udp_are_enough_where_there_is_another_hop_and_32_where_there_is_none(
    method: bytes,
) -> None:
    world = Names(FIRST, SECOND)
    world.ask(method)
    world.run(60)
    assert world.told == [(35.0, "timeout")]
    assert [at for at, _, flow in world.sent if flow == FIRST] == [0.0, 0.5, 1.5]
    assert next(at for at, _, flow in world.sent if flow == SECOND) == 3.0


def test_a_hop_that_rings_is_not_left_for_another() -> None:
    world = Names(FIRST, SECOND)
    world.ask()
    world.reply(0, 180)
    world.run(60)
    assert {host for _, host in world.went()} == {FIRST.host}


def test_an_invite_that_a_silent_hop_got_after_all_is_cancelled_there_and_its_2xx_counts() -> None:
    world = Names(FIRST, SECOND)
    world.ask()
    world.run(4)
    world.reply(0, 180)
    assert ("CANCEL", FIRST.host) in world.went()
    assert world.told == []
    second = next(number for number, (_, _, flow) in enumerate(world.sent) if flow == SECOND)
    world.reply(second, 180)
    # It was answered before the CANCEL came: the owner gets the answer, and the other hop is called off.
    world.reply(0, 200)
    assert [what for _, what in world.told] == ["180", "200"]
    assert ("CANCEL", SECOND.host) in world.went()


def test_a_late_answer_of_a_silent_hop_to_anything_but_an_invite_counts_once() -> None:
    world = Names(FIRST, SECOND)
    world.ask(b"MESSAGE")
    world.run(4)
    world.reply(0, 202)
    world.reply(len(world.sent) - 1, 202)
    assert [what for _, what in world.told] == ["202"]


def test_attempts_are_bounded() -> None:
    world = Names(*(Flow("tcp", f"192.0.2.{number}", 5060) for number in range(20)))
    world.ask()
    for number in range(20):
        world.layer.flow_failed(Flow("tcp", f"192.0.2.{number}", 5060), 0.0)
    assert len(world.sent) == ATTEMPTS
    assert [what for _, what in world.told] == ["unreachable"]


def test_each_hop_gets_what_belongs_to_its_transport() -> None:
    world = Names(OVER_TCP, SECOND)
    world.ask(on_hop=lambda message, hop: message.append(b"Record-Route", f"<sip:e;{hop.transport}>".encode()))
    world.layer.flow_failed(OVER_TCP, 0.0)
    assert [parse(data).values(b"record-route") for _, data, _ in world.sent] == [[b"<sip:e;tcp>"], [b"<sip:e;udp>"]]
    assert [parse(data).via.transport for _, data, _ in world.sent] == [b"TCP", b"UDP"]


def test_a_request_that_is_cancelled_while_its_name_is_looked_up_is_never_sent() -> None:
    world = Names()
    client = world.ask()
    client.cancel(0.0)
    client.cancel(0.0)
    assert [what for _, what in world.told] == ["timeout"]
    world.asked[0]((FIRST,), 5.0)
    assert (world.sent, world.layer.client_count) == ([], 0)


def test_a_name_that_leads_nowhere_is_told_as_unreachable() -> None:
    world = Names()
    world.ask()
    world.asked[0]((), 5.0)
    assert [what for _, what in world.told] == ["unreachable"]


def test_a_cancel_reaches_the_hop_that_rings_and_no_further_one_is_tried() -> None:
    world = Names(FIRST, SECOND)
    client = world.ask()
    world.reply(0, 180)
    client.cancel(0.0)
    assert world.went()[-1] == ("CANCEL", FIRST.host)
    world.reply(0, 503)
    assert [what for _, what in world.told] == ["180", "503"]
    assert {host for _, host in world.went()} == {FIRST.host}


def test_a_long_request_goes_by_tcp_to_a_hop_that_the_name_was_found_at_and_by_udp_when_that_is_refused() -> None:
    hop = Flow("udp", "192.0.2.8", 5060, 0, "itsp.test")
    world = Names(hop)
    long = request(b"MESSAGE")
    long.body = b"x" * 2_000
    world.layer.request(long, NAME, world, 0.0)
    assert world.sent[0][2] == Flow("tcp", hop.host, 5060)
    world.layer.flow_failed(Flow("tcp", hop.host, 5060), 0.0)
    assert world.sent[1][2][:3] == hop[:3]
    assert world.told == []
