"""Messages: any bytes give a message or the one error, and what nobody changed is written back as it came."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sip.message import BadMessage, DropReason, Limits, Message, check_request, parse, response_bytes

INVITE = (
    b"INVITE sip:201@demo.tandem.test SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK776;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Reception" <sip:200@demo.tandem.test>;tag=1928\r\n'
    b"To: <sip:201@demo.tandem.test>\r\n"
    b"Call-ID: a84b4c76e66710\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:200@192.0.2.1:5062>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 4\r\n\r\nv=0\n"
)

token = st.text(
    alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~", min_size=1, max_size=20
)
line_text = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=60)


def test_an_untouched_message_is_written_back_as_it_came() -> None:
    assert bytes(parse(INVITE)) == INVITE


def test_what_is_asked_for_is_found() -> None:
    message = parse(INVITE)
    check_request(message)
    assert message.method == b"INVITE"
    assert message.uri == b"sip:201@demo.tandem.test"
    assert message.from_tag == b"1928"
    assert message.to_tag == b""
    assert message.cseq == (314159, b"INVITE")
    assert message.via.branch == b"z9hG4bK776"
    assert message.get(b"contact") == b"<sip:200@192.0.2.1:5062>"
    assert message.body == b"v=0\n"


@given(names=st.lists(st.tuples(token, line_text), max_size=20), body=st.binary(max_size=100))
@settings(max_examples=150)
def test_parse_and_write_are_inverse(names: list[tuple[str, str]], body: bytes) -> None:
    kept = [(n, v) for n, v in names if n.lower() not in ("l", "content-length")]
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in kept)
    data = b"OPTIONS sip:a@b SIP/2.0\r\n" + head + b"\r\n" + body
    assert bytes(parse(data)) == data


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_give_a_message_or_our_error(data: bytes) -> None:
    _parse_or_refuse(data)


@given(at=st.integers(0, len(INVITE)), junk=st.binary(min_size=1, max_size=6), cut=st.integers(0, 8))
@settings(max_examples=300)
def test_a_damaged_invite_gives_a_message_or_our_error(at: int, junk: bytes, cut: int) -> None:
    message = _parse_or_refuse(INVITE[:at] + junk + INVITE[at + cut :])
    if message is not None and not message.status:
        with contextlib.suppress(BadMessage):
            check_request(message)


def _parse_or_refuse(data: bytes) -> Message | None:
    try:
        message = parse(data)
    except BadMessage:
        return None
    for line in message.lines:
        assert b"\r" not in line
        assert b"\n" not in line
    return message


@pytest.mark.parametrize(
    ("data", "drop"),
    [
        (b"", DropReason.NO_END_OF_HEADERS),
        (b"hello\r\n\r\n", DropReason.NOT_SIP),
        (b"GET / HTTP/1.1\r\n\r\n", DropReason.NOT_SIP),
        (b"INVITE sip:a SIP/2.0\r\nVia x\r\n\r\n", DropReason.BAD_HEADER_LINE),
        (b"INVITE sip:a SIP/2.0\r\nSubject: a\nVia: b\r\n\r\n", DropReason.STRAY_LINE_END),
        (b"INVITE sip:a SIP/2.0\r\nSubject: a\rVia: b\r\n\r\n", DropReason.STRAY_LINE_END),
        (b"INVITE sip:a SIP/3.0\r\n\r\n", DropReason.BAD_VERSION),
        (b"INVITE sip:a b SIP/2.0\r\n\r\n", DropReason.BAD_START_LINE),
        (b"SIP/2.0 99 Low\r\n\r\n", DropReason.BAD_START_LINE),
        (b"SIP/2.0 4294967301 Big\r\n\r\n", DropReason.BAD_START_LINE),
        (b"INVITE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", DropReason.BAD_CONTENT_LENGTH),
        (b"INVITE sip:a SIP/2.0\r\nl: 4\r\nContent-Length: 5\r\n\r\n12345", DropReason.BAD_CONTENT_LENGTH),
        (b"INVITE sip:a SIP/2.0\r\nContent-Length: 9\r\n\r\nshort", DropReason.TRUNCATED_BODY),
    ],
)
def test_each_defect_has_its_name(data: bytes, drop: DropReason) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(data)
    assert caught.value.drop is drop


def test_a_message_over_the_size_limit_is_refused() -> None:
    with pytest.raises(BadMessage) as caught:
        parse(INVITE, Limits(message_bytes=len(INVITE) - 1))
    assert (caught.value.drop, caught.value.status) == (DropReason.TOO_LARGE, 513)
    parse(INVITE, Limits(message_bytes=len(INVITE)))


def test_a_message_with_too_many_headers_is_refused() -> None:
    with pytest.raises(BadMessage) as caught:
        parse(INVITE, Limits(headers=8))
    assert caught.value.drop is DropReason.TOO_MANY_HEADERS
    parse(INVITE, Limits(headers=9))


def test_folded_lines_compact_names_and_space_before_the_colon_are_understood() -> None:
    message = parse(b"OPTIONS sip:a@b SIP/2.0\r\nf : <sip:a@b>\r\n ;tag=1\r\nI:x\r\nSubject: one\r\n\t two\r\n\r\n")
    assert message.from_tag == b"1"
    assert message.call_id == b"x"
    assert message.get(b"subject") == b"one two"


def test_empty_lines_in_front_are_ignored_and_surplus_body_is_cut() -> None:
    message = parse(b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\n12345")
    assert message.body == b"12"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"To: <sip:201@demo.tandem.test>\r\n", b"", "Missing To"),
        (b"Call-ID: a84b4c76e66710\r\n", b"", "Missing Call-ID"),
        (b"CSeq: 314159 INVITE", b"CSeq: 314159 BYE", "CSeq Method Differs from Request"),
        (b"CSeq: 314159 INVITE", b"CSeq: 36893488147419103232 INVITE", "Malformed CSeq"),
        (b"CSeq: 314159 INVITE", b"CSeq: 1 INVITE\r\nCSeq: 2 INVITE", "Duplicate CSeq"),
        (b"Max-Forwards: 70", b"Max-Forwards: 300", "Malformed Max-Forwards"),
        (b"Max-Forwards: 70", b"Max-Forwards: x", "Malformed Max-Forwards"),
        (b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK776;rport\r\n", b"", "Missing Via"),
        (b"SIP/2.0/UDP 192.0.2.1:5062", b"SIP/2.0/UDP 192.0.2.1:99999", "Malformed Via"),
    ],
)
def test_a_bad_request_is_named_by_its_header(old: bytes, new: bytes, reason: str) -> None:
    assert old in INVITE
    message = parse(INVITE.replace(old, new))
    with pytest.raises(BadMessage) as caught:
        check_request(message)
    assert (caught.value.status, caught.value.reason) == (400, reason)
    assert caught.value.partial is message


def test_a_response_repeats_what_identifies_the_request_and_adds_a_tag() -> None:
    answer = parse(response_bytes(parse(INVITE), 486, to_tag=b"me"))
    assert (answer.status, answer.reason) == (486, b"Busy Here")
    assert answer.to_tag == b"me"
    for name in (b"via", b"from", b"call-id", b"cseq"):
        assert answer.get(name) == parse(INVITE).get(name)


def test_headers_are_inserted_replaced_and_removed_without_touching_the_others() -> None:
    message = parse(INVITE.replace(b"Max-Forwards", b"Route: <sip:a;lr>, <sip:b;lr>\r\nMax-Forwards"))
    message.remove_first_value(b"route")
    assert message.values(b"route") == [b"<sip:b;lr>"]
    message.remove_first_value(b"route")
    message.set(b"Max-Forwards", b"69")
    message.insert(1, b"Via", b"SIP/2.0/UDP x;branch=z9hG4bKy")
    message.forget_via()
    assert message.via.branch == b"z9hG4bKy"
    message.remove_first_value(b"via")
    assert bytes(message) == INVITE.replace(b"s: 70", b"s: 69")
