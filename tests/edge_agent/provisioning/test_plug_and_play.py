"""Plug and play: a phone asks the network where its files are, and the edge tells it, once and by the book."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices import load_catalogue
from contract.sync.events import PhoneRefused, UnknownPhoneSeen
from edge_agent.clock import SystemClock
from edge_agent.provisioning.access import Access, networks
from edge_agent.provisioning.config import DeviceConfig
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.render import Renderer
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.plug_and_play import message
from edge_agent.provisioning.serve.plug_and_play.core import MAX_PENDING, Outcome, PlugAndPlay, Send
from edge_agent.provisioning.serve.plug_and_play.profile_url import ProfileUrls
from edge_agent.provisioning.serve.plug_and_play.server import PlugAndPlayServer
from edge_agent.sip.transport.udp import UdpSocket
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.plug_and_play_phone import subscribe
from tests.support.site_phones import PASSWORD, RecordedReporter, phone, site, yealink
from tests.support.waiting import eventually_async

CATALOGUE = load_catalogue()
IDENTIFIER = Identifier(CATALOGUE)
SNOM_MAC, FANVIL_MAC = "000413a1b2c3", "0c383e000001"
SITE = site(yealink(), phone("snom/d785", SNOM_MAC), phone("fanvil/x5u", FANVIL_MAC))
LIBRARY = Renderer(CATALOGUE).render(SITE)
PHONE, LOCAL = ("192.0.2.50", 5060), ("192.0.2.10", 40000)


class World:
    """The core with its desk and a clock that stands still."""

    def __init__(self, access: Access | None = None, *devices: DeviceConfig) -> None:
        self.clock, self.reporter = HandClock(), RecordedReporter()
        self.desk = Desk(IDENTIFIER, self.reporter, self.clock)
        self.desk.serve(LIBRARY, access)
        urls = ProfileUrls(CATALOGUE)
        urls.serve(SITE)
        self.core = PlugAndPlay(self.desk.plug_and_play, IDENTIFIER.subscribed, urls.url_for, CountedTokens())

    def receive(self, data: bytes, source: tuple[str, int] = PHONE) -> list[Send]:
        return self.core.receive(data, source, LOCAL, self.clock.monotonic())

    def url(self, data: bytes) -> str:
        sends = self.receive(data)
        return sends[1].data.partition(b"\r\n\r\n")[2].decode() if sends else ""


def test_a_phone_that_asks_is_answered_and_then_told_its_url() -> None:
    ok, notify = World().receive(subscribe("805ec0000200", "Yealink", "T54W", "96.86.0.70"))
    assert ok.to == PHONE
    assert not ok.notify
    head = ok.data.decode().split("\r\n")
    assert head[0] == "SIP/2.0 200 OK"
    assert any(
        re.fullmatch(r"Via: SIP/2.0/UDP 192\.0\.2\.50:5060;branch=z9hG4bK1;received=.*;rport=5060", x) for x in head
    )
    assert "CSeq: 1 SUBSCRIBE" in head
    assert notify.to == PHONE
    assert notify.notify
    first, *headers = notify.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert first == "NOTIFY sip:192.0.2.50:5060 SIP/2.0"
    named = dict(line.split(": ", 1) for line in headers)
    assert named["Event"].startswith("ua-profile")
    assert named["Subscription-State"] == "terminated;reason=timeout"
    assert named["Content-Type"] == "application/url"
    assert named["Call-ID"] == "call-1@192.0.2.50"
    assert named["To"] == "<sip:MAC%3a805ec0000200@224.0.1.75>;tag=phone"
    body = notify.data.partition(b"\r\n\r\n")[2]
    assert int(named["Content-Length"]) == len(body)
    assert body == b"http://192.0.2.10:8090/"
    assert PASSWORD.encode() not in notify.data


@pytest.mark.parametrize(
    ("mac", "vendor", "model", "url"),
    [
        ("805ec0000200", "Yealink", "T54W", "http://192.0.2.10:8090/"),
        (SNOM_MAC, "snom", "snomD785", f"http://192.0.2.10:8090/{SNOM_MAC.upper()}.xml"),
        (FANVIL_MAC, "Fanvil", "X5U", f"http://192.0.2.10:8090/{FANVIL_MAC}.cfg"),
    ],
)
def test_each_vendor_is_told_what_its_phones_take(mac: str, vendor: str, model: str, url: str) -> None:
    assert World().url(subscribe(mac, vendor, model, "1.0")) == url


def test_the_url_is_sent_again_until_the_phone_answers_and_no_longer_than_32_seconds() -> None:
    world = World()
    world.receive(subscribe("805ec0000200"))
    times = []
    while (deadline := world.core.deadline) is not None:
        world.clock.advance(deadline - world.clock.monotonic())
        if world.core.advance(deadline):
            times.append(round(deadline - 1000.0, 3))
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert world.core.outcomes[Outcome.UNANSWERED] == 1


def test_an_answer_ends_the_repetition_and_one_from_elsewhere_does_not() -> None:
    world = World()
    world.receive(subscribe("805ec0000200"))
    answer = b"SIP/2.0 200 OK\r\nCall-ID: call-1@192.0.2.50\r\nCSeq: 1 NOTIFY\r\n\r\n"
    assert world.receive(answer, ("192.0.2.66", 5060)) == []
    assert world.core.outcomes[Outcome.STRAY] == 1
    world.receive(answer)
    assert world.core.outcomes[Outcome.ANSWERED] == 1
    assert world.core.advance(world.clock.advance(40)) == []
    assert world.core.deadline is None


def test_a_repeated_question_gets_the_same_answer_and_no_second_url() -> None:
    world = World()
    ok, _ = world.receive(subscribe("805ec0000200"))
    assert world.receive(subscribe("805ec0000200")) == [ok]


def test_an_unknown_phone_is_reported_with_what_it_says_and_told_nothing() -> None:
    world = World()
    assert world.receive(subscribe("805ec0999999", "Yealink", "T54W", "96.86.0.70")) == []
    (seen,) = world.reporter.reports
    assert isinstance(seen, UnknownPhoneSeen)
    assert (seen.mac, seen.vendor, seen.model, seen.firmware, seen.protocol) == (
        "805ec0999999", "yealink", "T54W", "96.86.0.70", "sip",
    )  # fmt: skip
    assert seen.certainty["model"] == "claimed"


def test_an_unknown_phone_is_told_the_folder_where_the_site_wants_that() -> None:
    assert World(Access(answer_unknown=True)).url(subscribe("805ec0999999")) == "http://192.0.2.10:8090/"


def test_where_only_approved_phones_are_served_no_other_is_told_whatever_else_is_allowed() -> None:
    world = World(Access(answer_unknown=True, approved_only=True))
    assert world.url(subscribe("805ec0999999")) == ""
    (refused,) = [each for each in world.reporter.reports if isinstance(each, PhoneRefused)]
    assert (refused.reason, refused.mac) == ("not_approved", "805ec0999999")
    assert [each.mac for each in world.reporter.reports if isinstance(each, UnknownPhoneSeen)] == ["805ec0999999"]
    assert world.url(subscribe("805ec0000200"))


def test_a_phone_on_a_network_that_is_not_served_is_told_nothing_and_the_portal_why() -> None:
    world = World(Access(served=networks(["10.0.0.0/8"])))
    assert world.receive(subscribe("805ec0000200")) == []
    (refused,) = world.reporter.reports
    assert isinstance(refused, PhoneRefused)
    assert (refused.reason, refused.mac) == ("network_not_served", "805ec0000200")


def test_nobody_can_have_the_edge_send_to_a_third() -> None:
    data = subscribe("805ec0000200").replace(b"Contact: <sip:192.0.2.50:5060>", b"Contact: <sip:203.0.113.9:5060>")
    assert {send.to[0] for send in World().receive(data)} == {PHONE[0]}


def test_a_flood_of_questions_is_bounded_in_memory_and_by_address() -> None:
    world = World(Access(requests_per_address=10))
    told = sum(bool(world.receive(subscribe("805ec0000200", call=f"c{n}"))) for n in range(50))
    assert told == 10
    world = World(Access(requests_per_address=10**9))
    for n in range(MAX_PENDING + 5):
        world.receive(subscribe("805ec0000200", call=f"c{n}"), ("192.0.2.50", 5060))
    assert world.core.outcomes[Outcome.BUSY] == 5


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"SUBSCRIBE", b"REGISTER", "no_subscribe"),
        (b"ua-profile", b"presence", "another_event"),
        (b'profile-type="device"', b'profile-type="user"', "another_profile"),
        (b"Contact: <sip:192.0.2.50:5060>\r\n", b"", "no_contact"),
        (b"Call-ID: call-1@192.0.2.50\r\n", b"", "no_call_id"),
        (b"SIP/2.0/UDP 192.0.2.50:5060", b"SIP/2.0/UDP 192.0.2.50:99999", "no_port"),
        (b"From: ", b"From: \x01", "control_characters"),
        (b"Max-Forwards: 20\r\n", b"X: y\r\n" * 80, "too_many_headers"),
        (b"Max-Forwards: 20\r\n", b"X: " + b"y" * 5000 + b"\r\n", "too_long"),
    ],
)
def test_what_is_no_question_is_dropped_with_its_reason(old: bytes, new: bytes, why: str) -> None:
    world = World()
    data = subscribe("805ec0000200")
    assert old in data
    assert world.receive(data.replace(old, new)) == []
    assert world.core.not_understood == {why: 1}


@given(st.binary(max_size=600))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    for whole in (data, b"SUBSCRIBE sip:x SIP/2.0\r\n" + data, subscribe("805ec0000200")[:200] + data):
        try:
            message.parse(whole)
        except message.MessageRefused:
            continue


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_a_phone_says_never_makes_a_second_header(vendor: str, model: str) -> None:
    world = World()
    for send in world.receive(subscribe("805ec0000200", vendor, model)):
        head = send.data.partition(b"\r\n\r\n")[0].decode()
        assert all(re.match(r"[A-Za-z-]+: |SIP/2.0 |NOTIFY ", line) for line in head.split("\r\n"))


@pytest.fixture
def asking() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone_socket:
        phone_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        phone_socket.bind(("127.0.0.1", 0))
        phone_socket.setblocking(False)
        yield phone_socket


async def test_a_phone_asks_by_multicast_while_the_registrar_has_the_same_port(asking: socket.socket) -> None:
    world = World()
    registrar: list[bytes] = []
    sip = UdpSocket(("0.0.0.0", 0), lambda data, peer: registrar.append(data), lambda: None)
    sip.start()
    server = PlugAndPlayServer(world.core, SystemClock())
    try:
        assert server.start(sip.port, ("127.0.0.1",)) == sip.port
        port = asking.getsockname()[1]
        asking.sendto(subscribe("805ec0000200", at=("127.0.0.1", port)), ("224.0.1.75", sip.port))
        got: list[bytes] = []

        def heard() -> bool:
            try:
                got.append(asking.recv(4096))
            except BlockingIOError:
                return len(got) >= 2
            return len(got) >= 2

        await eventually_async(heard)
        assert got[0].startswith(b"SIP/2.0 200 OK\r\n")
        assert got[1].endswith(b"\r\n\r\nhttp://192.0.2.10:8090/")
        via = re.search(rb"Via: SIP/2.0/UDP ([0-9.]+):(\d+)", got[1])
        assert via is not None
        answer = b"SIP/2.0 200 OK\r\nCall-ID: call-1@127.0.0.1\r\nCSeq: 1 NOTIFY\r\n\r\n"
        asking.sendto(answer, (via[1].decode(), int(via[2])))
        await eventually_async(lambda: world.core.outcomes[Outcome.ANSWERED] == 1)
        asking.sendto(b"OPTIONS sip:edge SIP/2.0\r\n\r\n", ("127.0.0.1", sip.port))
        await eventually_async(lambda: bool(registrar))
        assert registrar == [b"OPTIONS sip:edge SIP/2.0\r\n\r\n"]
    finally:
        await server.stop()
        await server.stop()
        sip.close()


async def test_the_registrar_gets_its_port_while_plug_and_play_listens_and_a_second_registrar_does_not() -> None:
    server = PlugAndPlayServer(World().core, SystemClock())
    port = server.start(0, ("127.0.0.1",))
    sip = UdpSocket(("0.0.0.0", port), lambda data, peer: None, lambda: None)
    try:
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            UdpSocket(("0.0.0.0", port), lambda data, peer: None, lambda: None)
    finally:
        sip.close()
        await server.stop()


async def test_a_machine_without_such_an_interface_says_so() -> None:
    with pytest.raises(OSError, match="no interface"):
        PlugAndPlayServer(World().core, SystemClock()).start(0, ("198.51.100.77",))


def test_where_nothing_is_served_by_http_there_is_nothing_to_tell() -> None:
    world = World()
    urls = ProfileUrls(CATALOGUE)
    urls.serve(replace(SITE, server_url="", secure_url=""))
    world.core = PlugAndPlay(world.desk.plug_and_play, IDENTIFIER.subscribed, urls.url_for, CountedTokens())
    assert world.receive(subscribe("805ec0000200")) == []
    assert world.core.outcomes[Outcome.REFUSED] == 1
