"""Dialogs: both sides of one, its routes, its sequence."""

import pytest

from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.dialog.dialog import MAX_ROUTES
from edge_agent.sip.message import BadMessage, Message, SipError, parse

INVITE = """INVITE sip:echo@127.0.0.1:5080 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1
{routes}From: "Front, desk" <sip:200@demo.tandem.test>;tag=theirs;x=y
To: <sip:*99@demo.tandem.test>
Call-ID: c1
CSeq: 7 INVITE
Contact: {contact}
Content-Length: 0

"""


def invite(routes: str = "", contact: str = "<sip:200@192.0.2.10:5062;ob>") -> Message:
    return parse(INVITE.format(routes=routes, contact=contact).replace("\n", "\r\n").encode())


def request(method: str, cseq: int, contact: str = "") -> Message:
    text = f"{method} sip:x SIP/2.0\r\nCSeq: {cseq} {method}\r\n{contact}Content-Length: 0\r\n\r\n"
    return parse(text.encode())


def test_the_answering_side_sends_to_the_contact_along_the_recorded_route_in_its_order() -> None:
    routes = "Record-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>\nRecord-Route: <sip:192.0.2.3;lr>\n"
    dialog = Dialog.answering(invite(routes), b"ours")
    assert dialog.key == DialogKey(b"c1", b"ours", b"theirs")
    bye = dialog.request(b"BYE")
    assert bye.uri == b"sip:200@192.0.2.10:5062;ob"
    assert bye.all(b"route") == [b"<sip:192.0.2.1;lr>", b"<sip:192.0.2.2;lr>", b"<sip:192.0.2.3;lr>"]
    assert bye.get(b"from") == b"<sip:*99@demo.tandem.test>;tag=ours"
    assert bye.get(b"to") == b'"Front, desk" <sip:200@demo.tandem.test>;x=y;tag=theirs'
    assert bye.get(b"cseq") == b"1 BYE"
    assert dialog.request(b"BYE").get(b"cseq") == b"2 BYE"
    assert dialog.next_hop.address == "192.0.2.1"


def test_the_asking_side_sends_along_the_recorded_route_in_reverse() -> None:
    asked = invite()
    text = (
        "SIP/2.0 200 OK\r\nRecord-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>\r\n"
        "To: <sip:*99@demo.tandem.test>;tag=ours\r\nContact: <sip:echo@127.0.0.1:5080>\r\nContent-Length: 0\r\n\r\n"
    )
    dialog = Dialog.asking(asked, parse(text.encode()))
    assert dialog.key == DialogKey(b"c1", b"theirs", b"ours")
    bye = dialog.request(b"BYE")
    assert bye.all(b"route") == [b"<sip:192.0.2.2;lr>", b"<sip:192.0.2.1;lr>"]
    assert bye.get(b"cseq") == b"8 BYE"


def test_without_a_route_the_contact_is_the_next_hop() -> None:
    dialog = Dialog.answering(invite(), b"ours")
    assert dialog.next_hop is dialog.remote_target
    assert dialog.request(b"BYE").all(b"route") == []


def test_a_strict_router_gets_its_address_as_request_uri_and_the_target_goes_last() -> None:
    dialog = Dialog.answering(invite("Record-Route: <sip:192.0.2.1>, <sip:192.0.2.2;lr>\n"), b"ours")
    bye = dialog.request(b"BYE")
    assert bye.uri == b"sip:192.0.2.1"
    assert bye.all(b"route") == [b"<sip:192.0.2.2;lr>", b"<sip:200@192.0.2.10:5062;ob>"]


def test_a_lower_sequence_number_is_refused_with_500_and_an_equal_one_is_not() -> None:
    dialog = Dialog.answering(invite(), b"ours")
    dialog.receive(request("OPTIONS", 9))
    dialog.receive(request("OPTIONS", 9))
    with pytest.raises(SipError) as caught:
        dialog.receive(request("BYE", 8))
    assert caught.value.status == 500


def test_a_reinvite_moves_the_target_and_other_requests_do_not() -> None:
    dialog = Dialog.answering(invite(), b"ours")
    dialog.receive(request("OPTIONS", 8, "Contact: <sip:200@192.0.2.66>\r\n"))
    assert dialog.remote_target.address == "192.0.2.10"
    dialog.receive(request("INVITE", 9, "Contact: <sip:200@192.0.2.77>\r\n"))
    assert dialog.remote_target.address == "192.0.2.77"


@pytest.mark.parametrize("contact", ["<tel:200>", "<sip:a@192.0.2.1>, <sip:b@192.0.2.2>", "<sip:", "*"])
def test_a_contact_that_cannot_be_called_back_makes_no_dialog(contact: str) -> None:
    with pytest.raises(BadMessage):
        Dialog.answering(invite(contact=contact), b"ours")


@pytest.mark.parametrize("routes", ["Record-Route: <sip:a;lr>\n" * (MAX_ROUTES + 1), "Record-Route: <nonsense>\n"])
def test_a_route_that_is_too_long_or_malformed_makes_no_dialog(routes: str) -> None:
    with pytest.raises(BadMessage):
        Dialog.answering(invite(routes), b"ours")
