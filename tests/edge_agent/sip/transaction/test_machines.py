"""The four machines, with a clock moved by hand (RFC 3261 §17, RFC 6026)."""

from collections import Counter

from edge_agent.sip.message import DropReason, Flow, Limits, Message, check_request, parse, response_bytes, response_to
from edge_agent.sip.transaction import (
    ClientTransaction,
    InviteClient,
    InviteServer,
    ServerTransaction,
    Timers,
    TimerWheel,
    TransactionLayer,
)

UDP = Flow("udp", "192.0.2.9", 5060)
TCP = Flow("tcp", "192.0.2.9", 5060, 7)


class CountingTokens:
    """Tokens that count up."""

    def __init__(self) -> None:
        self._next = 0

    def token(self, size: int = 16) -> str:
        self._next += 1
        return f"{self._next:0{2 * size}x}"

    def fraction(self) -> float:
        return 0.5


class World:
    """A layer, its user, and a log of what it sent and told, each with its time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now = 0.0
        self.sent: list[tuple[float, bytes, Flow]] = []
        self.told: list[tuple[float, str]] = []
        self.requests: list[Message] = []
        self.responses: list[Message] = []
        self.drops: Counter[DropReason] = Counter()
        self.wheel = TimerWheel()
        sent_by = {"udp": b"192.0.2.1:5060", "tcp": b"192.0.2.1:5060"}
        self.layer = TransactionLayer(
            lambda data, flow: self.sent.append((self.now, data, flow)),
            self,
            CountingTokens(),
            sent_by,
            Timers(),
            self.wheel,
            limits or Limits(),
            self.drops,
        )

    def request_arrived(self, request: Message, now: float) -> None:
        self.requests.append(request)

    def ack_arrived(self, request: Message, now: float) -> None:
        self.told.append((now, "ack"))

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        self.told.append((now, "cancelled"))

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        self.responses.append(response)
        self.told.append((now, str(response.status)))

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        self.told.append((now, "timeout"))

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        self.told.append((now, "unreachable"))

    def run(self, until: float) -> None:
        while (deadline := self.wheel.deadline) is not None and deadline <= until:
            self.now = deadline
            self.wheel.advance(deadline)
        self.now = until

    def start(self, method: str, flow: Flow = UDP) -> ClientTransaction:
        request = parse(text(method).split(b"Via: ")[0] + text(method).partition(b"\r\n")[2].partition(b"\r\n")[2])
        return self.layer.request(request, flow, self, self.now)

    def answer(self, status: int, to_tag: bytes = b"them", request: bytes | None = None) -> None:
        data = request or self.sent[0][1]
        self.layer.receive(parse(response_bytes(parse(data), status, to_tag=to_tag)), self.now)

    def arrive(self, data: bytes, flow: Flow = UDP) -> None:
        message = parse(data)
        message.flow = flow
        check_request(message)
        self.layer.receive(message, self.now)

    def accepted(self, method: str, flow: Flow = UDP) -> ServerTransaction:
        self.arrive(text(method), flow)
        return self.layer.accept(self.requests[-1])

    def respond(self, transaction: ServerTransaction, status: int) -> None:
        data = bytes(response_to(self.requests[-1], status, to_tag=transaction.tag))
        transaction.respond(status, data, self.now)

    @property
    def times(self) -> list[float]:
        return [at for at, _, _ in self.sent]

    @property
    def started(self) -> list[bytes]:
        return [data.partition(b" ")[0] for _, data, _ in self.sent]


def text(method: str, branch: str = "z9hG4bKabc", to: str = "<sip:b@example.net>", rport: str = ";rport") -> bytes:
    return (
        f"{method} sip:b@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch={branch}{rport}\r\n"
        f"Max-Forwards: 70\r\nRoute: <sip:192.0.2.9;lr>\r\nFrom: <sip:a@example.net>;tag=1\r\nTo: {to}\r\n"
        f"Call-ID: c1\r\nCSeq: 5 {method}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def test_an_unanswered_request_is_retransmitted_ten_times_then_times_out_at_32_seconds() -> None:
    world = World()
    world.start("OPTIONS")
    world.run(60)
    assert world.times == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert world.told == [(32.0, "timeout")]
    assert world.layer.client_count == 0


def test_an_unanswered_invite_is_retransmitted_six_times_then_times_out_at_32_seconds() -> None:
    world = World()
    world.start("INVITE")
    world.run(60)
    assert world.times == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert world.told == [(32.0, "timeout")]


def test_nothing_is_retransmitted_over_a_reliable_transport() -> None:
    for method in ("INVITE", "OPTIONS"):
        world = World()
        world.start(method, TCP)
        world.run(60)
        assert world.times == [0.0]
        assert world.told == [(32.0, "timeout")]


def test_a_provisional_response_stops_an_invites_retransmissions_and_its_timeout() -> None:
    world = World()
    world.start("INVITE")
    world.answer(180)
    world.run(300)
    assert world.times == [0.0]
    assert world.told == [(0.0, "180")]


def test_a_provisional_response_slows_other_requests_down_to_t2() -> None:
    world = World()
    world.start("OPTIONS")
    world.answer(100)
    world.run(60)
    assert world.times == [0.0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert world.told[-1] == (32.0, "timeout")


def test_a_refused_invite_is_acknowledged_again_for_each_retransmission_until_timer_d() -> None:
    world = World()
    world.start("INVITE")
    invite = world.sent[0][1]
    world.answer(486)
    world.answer(486, request=invite)
    assert world.started == [b"INVITE", b"ACK", b"ACK"]
    assert world.told == [(0.0, "486")]
    ack, sent = parse(world.sent[1][1]), parse(invite)
    assert ack.uri == sent.uri
    assert ack.all(b"via") == sent.all(b"via")
    assert ack.all(b"route") == sent.all(b"route")
    assert ack.to_tag == b"them"
    assert ack.cseq == (5, b"ACK")
    world.run(31.9)
    assert world.layer.client_count == 1
    world.run(32)
    assert world.layer.client_count == 0


def test_every_2xx_reaches_the_owner_until_timer_m() -> None:
    world = World()
    world.start("INVITE")
    invite = world.sent[0][1]
    world.answer(200)
    world.answer(200, b"other", request=invite)
    assert [told for _, told in world.told] == ["200", "200"]
    world.run(32)
    world.answer(200, request=invite)
    assert world.drops[DropReason.UNKNOWN_RESPONSE] == 1


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    world = World()
    client = world.start("INVITE")
    assert isinstance(client, InviteClient)
    client.cancel(0.0)
    assert world.started == [b"INVITE"]
    world.answer(180)
    assert world.started == [b"INVITE", b"CANCEL"]
    cancel, invite = parse(world.sent[1][1]), parse(world.sent[0][1])
    assert cancel.via.branch == invite.via.branch
    assert cancel.cseq == (5, b"CANCEL")
    world.answer(200, request=world.sent[1][1])
    world.answer(487, request=world.sent[0][1])
    assert [told for _, told in world.told] == ["180", "487"]


def test_a_cancelled_branch_that_stays_silent_is_given_up_after_32_seconds() -> None:
    world = World()
    client = world.start("INVITE")
    assert isinstance(client, InviteClient)
    world.answer(180)
    client.cancel(0.0)
    world.run(40)
    assert world.told == [(0.0, "180"), (32.0, "timeout")]


def test_a_dead_connection_fails_the_requests_that_wait_on_it() -> None:
    world = World()
    world.start("OPTIONS", TCP)
    world.layer.flow_failed(TCP, 1.0)
    assert world.told == [(1.0, "unreachable")]
    assert world.layer.client_count == 0


def test_a_retransmitted_request_gets_the_last_response_again_and_the_user_hears_of_it_once() -> None:
    for method in ("INVITE", "OPTIONS"):
        world = World()
        transaction = world.accepted(method)
        world.respond(transaction, 100)
        world.arrive(text(method))
        world.respond(transaction, 404)
        world.arrive(text(method))
        assert [parse(data).status for _, data, _ in world.sent] == [100, 100, 404, 404]
        assert len(world.requests) == 1


def test_a_refusal_is_retransmitted_until_it_is_acknowledged() -> None:
    world = World()
    transaction = world.accepted("INVITE")
    world.respond(transaction, 486)
    world.run(2)
    assert world.times == [0.0, 0.5, 1.5]
    world.arrive(text("ACK", to=f"<sip:b@example.net>;tag={transaction.tag.decode()}"))
    world.run(7.1)
    assert world.times == [0.0, 0.5, 1.5]
    assert world.told == []
    assert world.layer.server_count == 0


def test_a_refusal_that_is_never_acknowledged_is_forgotten_at_32_seconds() -> None:
    world = World()
    world.respond(world.accepted("INVITE"), 486)
    world.run(60)
    assert world.times == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert world.layer.server_count == 0


def test_an_answered_invite_is_absorbed_for_32_seconds_while_its_2xx_may_be_repeated() -> None:
    world = World()
    transaction = world.accepted("INVITE")
    world.respond(transaction, 200)
    world.arrive(text("INVITE"))
    world.respond(transaction, 200)
    assert [parse(data).status for _, data, _ in world.sent] == [200, 200]
    world.arrive(text("ACK", to="<sip:b@example.net>;tag=x"))
    assert world.told == [(0.0, "ack")]
    world.run(32)
    assert world.layer.server_count == 0


def test_a_cancel_is_answered_and_reaches_the_invite_it_names() -> None:
    world = World()
    world.accepted("INVITE")
    world.arrive(text("CANCEL"))
    world.arrive(text("CANCEL"))
    assert [parse(data).status for _, data, _ in world.sent] == [200, 200]
    assert world.told == [(0.0, "cancelled")]


def test_a_cancel_that_fits_nothing_is_left_to_the_user() -> None:
    world = World()
    world.arrive(text("CANCEL"))
    assert [request.method for request in world.requests] == [b"CANCEL"]


def test_the_ack_of_a_refusal_sent_without_state_is_absorbed() -> None:
    world = World()
    world.arrive(text("INVITE"))
    world.layer.reply(world.requests[0], 407)
    tag = parse(world.sent[0][1]).to_tag.decode()
    world.arrive(text("ACK", to=f"<sip:b@example.net>;tag={tag}"))
    assert world.told == []
    assert world.drops[DropReason.STRAY_ACK] == 1


def test_over_the_limit_of_transactions_new_requests_are_answered_503() -> None:
    world = World(Limits(transactions=1))
    world.accepted("OPTIONS")
    world.arrive(text("OPTIONS", branch="z9hG4bKnext"))
    answer = parse(world.sent[0][1])
    assert (answer.status, answer.get(b"retry-after")) == (503, b"10")
    assert world.drops[DropReason.TOO_MANY_TRANSACTIONS] == 1


def test_responses_go_to_the_source_port_with_rport_and_to_the_via_port_without() -> None:
    world = World()
    world.arrive(text("OPTIONS"), Flow("udp", "198.51.100.7", 40000))
    world.layer.reply(world.requests[0], 200)
    assert world.sent[0][2] == Flow("udp", "198.51.100.7", 40000)
    assert b"received=198.51.100.7" in world.sent[0][1]
    assert b"rport=40000" in world.sent[0][1]
    world.arrive(text("OPTIONS", branch="z9hG4bKo", rport=""), Flow("udp", "198.51.100.7", 40000))
    world.layer.reply(world.requests[1], 200)
    assert world.sent[1][2] == Flow("udp", "198.51.100.7", 5060)


def test_a_peer_of_rfc_2543_without_a_magic_cookie_is_served() -> None:
    world = World()
    world.arrive(text("INVITE", branch="1"))
    transaction = world.layer.accept(world.requests[0])
    world.respond(transaction, 486)
    world.arrive(text("INVITE", branch="1"))
    assert len(world.requests) == 1
    world.arrive(text("ACK", branch="1", to=f"<sip:b@example.net>;tag={transaction.tag.decode()}"))
    assert world.told == []
