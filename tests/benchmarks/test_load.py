"""The load generator against a server of a few lines: what it sends, what it counts, and when it gives up."""

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sip.load.messages import Digest, Malformed, contact_uri, header, headers, ok
from benchmarks.sip.load.plan import Account, Outcome, Plan
from benchmarks.sip.load.run import NotReady, Run
from benchmarks.sip.load.wire import Framer
from edge_agent.sip.message import parse

PHONES = tuple(Account(str(user), f"auth{user}", f"password-{user}") for user in (200, 201))
CHALLENGE = b'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5, opaque="o"'


def reply(request: bytes, status: bytes, *more: bytes) -> bytes:
    _, _, rest = ok(request).partition(b"\r\n")
    return b"SIP/2.0 " + status + b"\r\n" + b"".join(one + b"\r\n" for one in more) + rest


class SmallServer:
    """Registers, and hangs between caller and callee as a proxy does; `answer` may decide otherwise."""

    def __init__(self, answer: Callable[[bytes], bytes | None] = lambda _: b"") -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.port: int = self.socket.getsockname()[1]
        self.heard: list[bytes] = []
        self.contacts: dict[bytes, tuple[str, int]] = {}
        self._answer = answer
        self._caller = ("", 0)

    def handle(self, message: bytes, source: tuple[str, int]) -> None:
        self.heard.append(message)
        decided = self._answer(message)
        if decided is None:
            return
        send = self.socket.sendto
        method = message.split(b" ", 1)[0]
        if decided:
            send(decided, source)
        elif method == b"SIP/2.0":
            send(message, self._caller)
        elif method in (b"REGISTER", b"INVITE") and b"uthorization:" not in message:
            proxy = method == b"INVITE"
            name, status = (b"Proxy-Authenticate", b"407 No") if proxy else (b"WWW-Authenticate", b"401 No")
            send(reply(message, status, name + b": " + CHALLENGE), source)
        elif method == b"REGISTER":
            user = header(message, b"From").split(b":")[1].split(b"@")[0]
            self.contacts[user] = source
            send(reply(message, b"200 OK"), source)
        elif not (method == b"ACK" and b";tag=a1" not in header(message, b"To")):
            self._caller = source
            send(message, self.contacts[b"201"])

    def serve(self, until: threading.Event) -> None:
        while not until.is_set():
            try:
                message, source = self.socket.recvfrom(65_535)
            except TimeoutError:
                continue
            self.handle(message, source)


@contextmanager
def serving(server: SmallServer) -> Iterator[SmallServer]:
    over = threading.Event()
    thread = threading.Thread(target=server.serve, args=(over,))
    thread.start()
    try:
        yield server
    finally:
        over.set()
        thread.join()
        server.socket.close()


def plan(server: SmallServer, **fields: object) -> Plan:
    given = {"scenario": "call", "count": 3, "phones": PHONES, **fields}
    return Plan(transport="udp", host="127.0.0.1", port=server.port, domain="demo.tandem.test", **given)  # type: ignore[arg-type]


def done(it: Plan) -> Outcome:
    with Run(it) as run:
        run.prepare()
        outcome = Outcome.from_json(run.work().as_json())
        run.leave()
    return outcome


def test_calls_are_authenticated_answered_acknowledged_and_ended_and_contacts_taken_back() -> None:
    with serving(SmallServer()) as server:
        outcome = done(plan(server))
    assert (outcome.succeeded, outcome.failed, outcome.retransmissions) == (3, 0, 0)
    starts = [one.split(b" ", 1)[0] for one in server.heard if b"INVITE" in header(one, b"CSeq")]
    assert starts.count(b"INVITE") == 6
    assert len([one for one in server.heard if one.startswith(b"BYE ")]) == 3
    left = [one for one in server.heard if one.startswith(b"REGISTER ") and b"Expires: 0\r\n" in one]
    assert len(left) == 4, "both phones, before and after the challenge"


def test_every_message_of_the_generator_is_one_that_the_product_reads() -> None:
    with serving(SmallServer()) as server:
        done(plan(server, count=1))
    assert server.heard
    for message in server.heard:
        assert bytes(parse(message)) == message


def test_a_digest_answer_is_the_one_of_the_standard() -> None:
    value = Digest("auth200", "password-200").answer(CHALLENGE, b"REGISTER", b"sip:demo")
    fields = dict(re.findall(rb'(\w+)="?([^",]*)"?', value))
    ha1 = hashlib.md5(b"auth200:r:password-200").hexdigest()
    ha2 = hashlib.md5(b"REGISTER:sip:demo").hexdigest()
    text = f"{ha1}:n1:00000001:{fields[b'cnonce'].decode()}:auth:{ha2}"
    assert fields[b"response"].decode() == hashlib.md5(text.encode()).hexdigest()
    assert fields[b"opaque"] == b"o"
    with pytest.raises(Malformed):
        Digest("a", "b").answer(b"Basic", b"REGISTER", b"sip:demo")


def test_refused_registrations_are_counted_by_what_they_were_refused_with() -> None:
    with serving(SmallServer(lambda request: reply(request, b"403 No"))) as server:
        outcome = done(plan(server, scenario="register", count=4, keep=True))
    assert (outcome.succeeded, outcome.failed, outcome.reasons) == (0, 4, {"403 to REGISTER": 4})


def test_a_lost_message_is_sent_again_and_one_that_is_never_answered_fails() -> None:
    lost = iter([True])

    def lose_one(request: bytes) -> bytes | None:
        return None if request.startswith(b"BYE ") and next(lost, False) else b""

    with serving(SmallServer(lose_one)) as server:
        outcome = done(plan(server, count=1))
    assert (outcome.succeeded, outcome.failed, outcome.retransmissions) == (1, 0, 1)
    with serving(SmallServer(lambda request: None if request.startswith(b"INVITE ") else b"")) as server:
        outcome = done(plan(server, count=1, give_up_seconds=0.2, keep=True))
    assert outcome.reasons == {"no answer to INVITE": 1}


def test_calls_do_not_begin_when_phones_cannot_register() -> None:
    with (
        serving(SmallServer(lambda request: reply(request, b"503 No"))) as server,
        Run(plan(server)) as run,
        pytest.raises(NotReady, match="503 to REGISTER"),
    ):
        run.prepare()


def test_at_a_rate_calls_begin_no_faster() -> None:
    with serving(SmallServer()) as server:
        outcome = done(plan(server, scenario="register", count=5, rate=50.0))
    assert outcome.seconds >= 4 / 50


def test_a_plan_survives_its_way_through_the_pipe() -> None:
    it = Plan("call", "tls", "127.0.0.1", 5061, "demo.tandem.test", PHONES, 7, 2.5, keep=True)
    assert Plan.from_json(it.as_json()) == it
    assert "password-200" not in repr(it)


def test_what_is_read_of_a_message() -> None:
    message = b"SIP/2.0 200 OK\r\nRecord-Route: <sip:a;lr>, <sip:b;lr>\r\nRecord-Route: <sip:c;lr>\r\n"
    message += b"Contact: <sip:d>\r\n\r\n"
    assert headers(message, b"Record-Route") == [b"<sip:a;lr>", b"<sip:b;lr>", b"<sip:c;lr>"]
    assert contact_uri(message) == b"sip:d"
    with pytest.raises(Malformed, match="no CSeq"):
        header(message, b"CSeq")


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.integers(1, 30))
def test_a_stream_is_cut_into_the_same_messages_however_it_arrives(bodies: list[bytes], step: int) -> None:
    sent = [b"SIP/2.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies]
    stream = b"\r\n".join([b"", *sent])
    framer = Framer()
    found = [one for at in range(0, len(stream), step) for one in framer.feed(stream[at : at + step])]
    assert found == sent
