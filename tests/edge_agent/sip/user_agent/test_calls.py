"""Calls to a user agent, message by message, with a clock that the test moves."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sip.message import DropReason, Flow
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.media_plane import RecordingPlane

PROXY = Flow("udp", "127.0.0.1", 5060)
OFFER = b"v=0\r\ns=offer\r\n"
ANSWER = b"v=0\r\ns=answer\r\n"


class Caller:
    """Sends requests to a user agent as a proxy would pass them on, and reads what it sends."""

    def __init__(self, most_calls: int = 10) -> None:
        self.clock, self.plane = HandClock(), RecordingPlane()
        self.sent: list[bytes] = []
        self.flows: list[Flow] = []
        self.agent = UserAgent(
            UserAgentSettings("127.0.0.1", 5080, most_calls=most_calls),
            self._send,
            self.plane,
            self.clock,
            CountedTokens(),
        )
        self.to_tag = ""
        self._branch = 0

    def _send(self, data: bytes, flow: Flow) -> None:
        self.sent.append(data)
        self.flows.append(flow)

    def put(
        self,
        method: str,
        body: bytes = b"",
        *,
        cseq: int = 1,
        branch: str = "",
        call_id: str = "call-1",
        to_tag: str | None = None,
        headers: str = "",
        uri: str = "sip:echo@127.0.0.1:5080",
        contact: str = "<sip:200@192.0.2.10:5060>",
    ) -> list[str]:
        """Send a request; the status or method of each message that came back."""
        if not branch:
            self._branch += 1
            branch = f"z9hG4bK-{self._branch}"
        tag = self.to_tag if to_tag is None else to_tag
        text = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:5060;branch={branch};rport\r\n"
            f"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-phone\r\n"
            f"Record-Route: <sip:127.0.0.1:5060;lr>\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:200@demo.tandem.test>;tag=theirs\r\n"
            f"To: <sip:*99@demo.tandem.test>{';tag=' + tag if tag else ''}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"{f'Contact: {contact}' + chr(13) + chr(10) if contact else ''}{headers}"
            f"{'Content-Type: application/sdp' + chr(13) + chr(10) if body and 'Content-Type' not in headers else ''}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return self.deliver(text.encode() + body)

    def deliver(self, data: bytes) -> list[str]:
        """Hand in bytes."""
        before = len(self.sent)
        self.agent.received(data, PROXY, self.clock.monotonic())
        return self.kinds(before)

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, timer by timer; what was sent meanwhile."""
        before, end = len(self.sent), self.clock.monotonic() + seconds
        while (due := self.agent.deadline) is not None and due <= end:
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            self.agent.advance(self.clock.monotonic())
        self.clock.advance(end - self.clock.monotonic())
        return self.kinds(before)

    def kinds(self, since: int) -> list[str]:
        """Status or method of each message sent since."""
        return [data.split(b" ")[1 if data.startswith(b"SIP") else 0].decode() for data in self.sent[since:]]

    def header(self, name: str, at: int = -1) -> list[str]:
        """The values of a header in what was sent."""
        return re.findall(rf"^{name}: (.*)\r$", self.sent[at].decode(), re.MULTILINE)

    def call(self, offer: bytes = OFFER) -> "Caller":
        """Call and be answered and acknowledged."""
        assert self.put("INVITE", offer) == ["100"]
        self.plane.legs[-1].answer(ANSWER)
        self.learn_tag()
        assert self.put("ACK", b"" if offer else OFFER) == []
        return self

    def learn_tag(self) -> None:
        """Take the tag out of what was sent last."""
        self.to_tag = self.header("To")[0].partition("tag=")[2]


def test_a_call_rings_is_answered_acknowledged_and_hung_up_by_the_caller() -> None:
    caller = Caller()
    assert caller.put("INVITE", OFFER) == ["100"]
    leg = caller.plane.legs[0]
    assert (leg.called, leg.caller, leg.offer) == ("echo", "200", OFFER)
    leg.ring()
    assert caller.kinds(1) == ["180"]
    caller.learn_tag()
    leg.answer(ANSWER)
    assert caller.kinds(2) == ["200"]
    assert caller.sent[-1].endswith(b"\r\n\r\n" + ANSWER)
    assert caller.header("Contact") == ["<sip:echo@127.0.0.1:5080>"]
    assert caller.header("Record-Route") == ["<sip:127.0.0.1:5060;lr>"]
    assert caller.header("Content-Type") == ["application/sdp"]
    assert len(caller.header("Via")) == 2
    assert caller.header("To")[0].endswith(f";tag={caller.to_tag}")
    assert caller.put("ACK") == []
    assert caller.plane.confirmed_with == [None]
    assert caller.put("BYE", cseq=2) == ["200"]
    assert caller.plane.causes == ["caller"]
    assert caller.agent.calls == 0
    assert caller.wait(100) == []
    assert caller.agent.deadline is None


def test_a_2xx_is_repeated_at_doubling_intervals_until_its_ack() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER)
    caller.plane.legs[0].answer(ANSWER)
    caller.learn_tag()
    assert caller.wait(0.4) == []
    assert caller.wait(0.2) == ["200"]
    assert caller.wait(2.9) == ["200", "200"]
    caller.put("ACK")
    caller.put("ACK")
    assert caller.wait(60) == []
    assert caller.plane.confirmed_with == [None]


def test_a_2xx_that_is_never_acknowledged_ends_in_a_bye_after_32_seconds() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER)
    caller.plane.legs[0].answer(ANSWER)
    assert caller.wait(31.9) == ["200"] * 10
    assert caller.plane.causes == []
    assert caller.wait(0.2) == ["BYE"]
    assert caller.plane.causes == ["unacknowledged"]


def test_we_hang_up_by_a_bye_along_the_route_to_the_contact() -> None:
    caller = Caller().call()
    caller.plane.legs[0].hang_up()
    assert caller.kinds(-1) == ["BYE"]
    assert caller.sent[-1].startswith(b"BYE sip:200@192.0.2.10:5060 SIP/2.0\r\n")
    assert caller.header("Route") == ["<sip:127.0.0.1:5060;lr>"]
    assert caller.header("From") == [f"<sip:*99@demo.tandem.test>;tag={caller.to_tag}"]
    assert caller.header("To") == ["<sip:200@demo.tandem.test>;tag=theirs"]
    assert caller.header("CSeq") == ["1 BYE"]
    assert caller.flows[-1] == PROXY
    assert caller.plane.causes == ["local"]
    via = caller.header("Via")[0]
    lines = [
        "SIP/2.0 200 OK",
        f"Via: {via}",
        *(f"{n}: {caller.header(n)[0]}" for n in ("From", "To", "Call-ID", "CSeq")),
    ]
    caller.deliver("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
    assert caller.wait(60) == []


def test_hanging_up_before_the_ack_waits_for_it() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER)
    caller.plane.legs[0].answer(ANSWER)
    caller.learn_tag()
    caller.plane.legs[0].hang_up()
    assert caller.kinds(-1) == ["200"]
    assert caller.put("ACK") == ["BYE"]
    assert caller.plane.causes == ["local"]


def test_hanging_up_before_the_answer_refuses_the_call() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER, branch="z9hG4bK-i")
    caller.plane.legs[0].hang_up()
    assert caller.kinds(-1) == ["480"]
    caller.learn_tag()
    assert caller.put("ACK", branch="z9hG4bK-i") == []
    assert caller.plane.causes == ["local"]
    assert caller.wait(60) == []


def test_a_cancelled_call_is_answered_487_and_an_answer_after_that_does_nothing() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER, branch="z9hG4bK-i")
    assert caller.put("CANCEL", branch="z9hG4bK-i") == ["200", "487"]
    assert caller.plane.causes == ["caller"]
    caller.plane.legs[0].answer(ANSWER)
    assert caller.kinds(-1) == ["487"]
    assert caller.header("To", -1) == caller.header("To", -2)


def test_a_cancel_after_the_answer_changes_nothing() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER, branch="z9hG4bK-i")
    caller.plane.legs[0].answer(ANSWER)
    assert caller.put("CANCEL", branch="z9hG4bK-i") == ["200"]
    assert caller.plane.causes == []


def test_a_bye_before_the_answer_ends_the_call() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER)
    caller.plane.legs[0].ring()
    caller.learn_tag()
    assert caller.put("BYE", cseq=2) == ["200", "487"]
    assert caller.plane.causes == ["caller"]


def test_a_repeated_invite_gets_the_last_answer_and_makes_no_second_call() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER, branch="z9hG4bK-i")
    caller.plane.legs[0].ring()
    assert caller.put("INVITE", OFFER, branch="z9hG4bK-i") == ["180"]
    assert len(caller.plane.legs) == 1


def test_the_same_invite_by_another_way_is_merged() -> None:
    caller = Caller()
    caller.put("INVITE", OFFER)
    assert caller.put("INVITE", OFFER) == ["482"]
    assert len(caller.plane.legs) == 1


def test_a_call_without_an_offer_gets_ours_and_answers_in_the_ack() -> None:
    caller = Caller().call(offer=b"")
    assert caller.plane.legs[0].offer is None
    assert caller.plane.confirmed_with == [OFFER]


def test_a_reinvite_is_answered_with_another_description() -> None:
    caller = Caller().call()
    assert caller.put("INVITE", b"v=0\r\ns=hold\r\n", cseq=2) == ["200"]
    assert caller.plane.reoffers == [b"v=0\r\ns=hold\r\n"]
    assert caller.sent[-1].endswith(b"s=again\r\n")
    assert caller.put("INVITE", OFFER, cseq=3, branch="z9hG4bK-r") == ["500"]
    assert caller.header("Retry-After") == ["2"]
    assert caller.put("ACK", cseq=3, branch="z9hG4bK-r") == []
    assert caller.put("ACK", cseq=2) == []
    assert caller.put("BYE", cseq=4) == ["200"]
    assert caller.wait(60) == []


def test_a_reinvite_without_an_offer_has_its_answer_in_the_ack() -> None:
    caller = Caller().call()
    assert caller.put("INVITE", cseq=2) == ["200"]
    caller.put("ACK", b"v=0\r\ns=theirs\r\n", cseq=2)
    assert caller.plane.confirmed_with == [None, b"v=0\r\ns=theirs\r\n"]


def test_a_reinvite_that_is_refused_leaves_the_call_up() -> None:
    caller = Caller().call()
    caller.plane.busy = True
    assert caller.put("INVITE", OFFER, cseq=2, branch="z9hG4bK-r") == ["486"]
    caller.put("ACK", cseq=2, branch="z9hG4bK-r")
    assert caller.agent.calls == 1
    assert caller.plane.causes == []


def test_a_reinvite_from_another_contact_moves_the_target_of_our_bye() -> None:
    caller = Caller().call()
    caller.put("INVITE", OFFER, cseq=2, contact="<sip:200@192.0.2.77:5060>")
    caller.put("ACK", cseq=2)
    caller.plane.legs[0].hang_up()
    assert caller.sent[-1].startswith(b"BYE sip:200@192.0.2.77:5060 ")


def test_what_the_plane_refuses_gets_its_status() -> None:
    caller = Caller()
    caller.plane.busy = True
    assert caller.put("INVITE", OFFER) == ["100", "486"]
    assert caller.agent.calls == 0


def test_calls_beyond_the_limit_get_503() -> None:
    caller = Caller(most_calls=2)
    for number in range(2):
        assert caller.put("INVITE", OFFER, call_id=f"call-{number}") == ["100"]
    assert caller.put("INVITE", OFFER, call_id="call-9") == ["503"]
    assert caller.header("Retry-After") == ["10"]


@pytest.mark.parametrize(
    ("method", "change", "status"),
    [
        ("OPTIONS", {}, "200"),
        ("BYE", {"to_tag": "nobody"}, "481"),
        ("INVITE", {"to_tag": "nobody"}, "481"),
        ("CANCEL", {}, "481"),
        ("BYE", {}, "481"),
        ("REGISTER", {}, "405"),
        ("SUBSCRIBE", {}, "405"),
        ("INVITE", {"headers": "Require: tdialog\r\n"}, "420"),
        ("INVITE", {"contact": ""}, "400"),
        ("INVITE", {"contact": "<tel:200>"}, "400"),
        ("INVITE", {"uri": "tel:200"}, "416"),
        ("INVITE", {"uri": "sips:echo@127.0.0.1"}, "416"),
        ("INVITE", {"body": b"x", "headers": "Content-Type: text/plain\r\n"}, "415"),
        ("INVITE", {"headers": "Content-Encoding: gzip\r\n"}, "415"),
        ("INVITE", {"headers": "Record-Route: <sip:a;lr>" + ", <sip:a;lr>" * 20 + "\r\n"}, "400"),
    ],
)
def test_a_request_that_cannot_be_served_is_answered_with_the_reason(
    method: str, change: dict[str, str], status: str
) -> None:
    caller = Caller()
    assert caller.put(method, **change) == [status]  # type: ignore[arg-type]
    assert caller.agent.calls == 0
    if status in ("200", "405"):
        assert caller.header("Allow") == ["INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"]
    if status == "420":
        assert caller.header("Unsupported") == ["tdialog"]


def test_options_inside_a_call_is_answered_and_a_request_out_of_order_is_not_served() -> None:
    caller = Caller().call()
    assert caller.put("OPTIONS", cseq=5) == ["200"]
    assert caller.put("BYE", cseq=4) == ["500"]
    assert caller.agent.calls == 1


def test_where_the_next_hop_is_a_name_the_way_back_is_taken() -> None:
    caller = Caller()
    text_headers = "Record-Route: <sip:edge.demo.tandem.test;lr>\r\n"
    caller.put("INVITE", OFFER, headers=text_headers)
    caller.plane.legs[0].answer(ANSWER)
    caller.learn_tag()
    caller.put("ACK")
    caller.plane.legs[0].hang_up()
    assert caller.flows[-1] == PROXY


def test_keep_alives_are_ignored_and_rubbish_is_counted() -> None:
    caller = Caller()
    assert caller.deliver(b"\r\n\r\n") == []
    assert caller.deliver(b"\0") == []
    assert not caller.agent.drops
    assert caller.deliver(b"hello\r\n\r\n") == []
    assert caller.agent.drops.total() == 1


def test_what_the_transport_dropped_is_counted_and_a_bye_that_cannot_be_sent_is_forgotten() -> None:
    caller = Caller().call()
    caller.agent.dropped(DropReason.UNREACHABLE)
    assert caller.agent.drops == {DropReason.UNREACHABLE: 1}
    caller.plane.legs[0].hang_up()
    caller.agent.flow_failed(PROXY, caller.clock.monotonic())
    assert caller.wait(100) == []


@given(st.integers(0, 900), st.integers(0, 255), st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"]))
@settings(max_examples=300, deadline=None)
def test_no_damaged_message_upsets_a_call(at: int, byte: int, method: str) -> None:
    caller = Caller().call()
    received: list[bytes] = []
    caller.deliver = received.append  # type: ignore[method-assign,assignment]
    caller.put(method, OFFER, cseq=2)
    del caller.deliver
    data = bytearray(received[0])
    data[at % len(data)] = byte
    caller.deliver(bytes(data))
    caller.deliver(bytes(data[: at % len(data)]))
    caller.wait(100)
    assert len(caller.plane.causes) <= len(caller.plane.legs)
