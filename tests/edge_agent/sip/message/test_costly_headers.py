"""Headers made to cost: reading them takes time in proportion to their length, and none of them is remembered.

Each value here took seconds, or gigabytes in the end, before. A test that takes quadratic time does not end within its
time-out.
"""

import pytest

from edge_agent.sip.message import (
    BadMessage,
    DropReason,
    Limits,
    NameAddr,
    Uri,
    Via,
    name_addr,
    parse,
    parse_credentials,
    split_commas,
    uri,
    via,
)
from edge_agent.sip.message.name_addr import tag_of

LONG = 400_000
FREE = Limits(message_bytes=10 * LONG, header_bytes=10 * LONG)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "value",
    [
        b"a" + b" " * LONG + b"b",
        b"\t" * LONG + b"<",
        b"a b" * LONG + b'"',
        b'"' + b"\\a" * LONG,
        b"<sip:a@b>;a" + b" " * LONG + b"b",
        b"<sip:a@b>" + b" ; a = " * LONG,
        b"<sip:" + b"%41" * LONG + b"@b>",
        b"<sip:a" + b"-" * LONG + b">",
        b"<sip:[" + b":" * LONG + b"]>",
        b"SIP/2.0/UDP a" + b" " * LONG + b":",
        b"SIP/2.0/UDP a;" + b"b;" * LONG,
        b"Digest a" + b" " * LONG + b"=b",
        b"Digest " + b"a=b " * LONG,
        b'",' * LONG,
        b"," + b"<" * LONG,
    ],
    ids=range(15),
)
def test_any_long_value_is_read_in_time(value: bytes) -> None:
    for read in (NameAddr.parse, Via.parse, Uri.parse, split_commas, parse_credentials, lambda one: tag_of(one, "To")):
        try:
            read(value)
        except BadMessage:
            continue


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line", [b"X: a" + b" " * LONG + b"b", b"X:" + b"\r\n " * LONG + b"b", b"X" + b" " * LONG + b": b"]
)
def test_any_long_line_of_a_folded_message_is_read_in_time(line: bytes) -> None:
    parse(b"OPTIONS sip:a SIP/2.0\r\nA: b\r\n c\r\n" + line + b"\r\n\r\n", FREE)


def test_long_values_are_not_remembered() -> None:
    caches = (name_addr._remembered, uri._remembered, via._remembered, uri._canonical)
    before = [one.cache_info().currsize for one in caches]
    for number in range(50):
        text = b"%d" % number * 300
        NameAddr.parse(b"<sip:%b@192.0.2.1>" % text)
        Via.parse(b"SIP/2.0/UDP a%b.test;branch=z9hG4bK1" % text)
        with pytest.raises(BadMessage):
            Uri.parse(b"sip:[%b::1]" % text)
    assert [one.cache_info().currsize for one in caches] == before


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"OPTIONS sip:%b@a SIP/2.0\r\nVia: x\r\n\r\n" % (b"a" * 8_192), 414, "Request-URI Too Long"),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\nSubject: %b\r\n\r\n" % (b"a" * 8_192), 400, "Header Too Long"),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\nSubject: a\r\n %b\r\n\r\n" % (b"a" * 8_192), 400, "Header Too Long"),
    ],
)
def test_a_line_over_the_limit_is_refused_by_its_name(data: bytes, status: int, reason: str) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(data)
    assert caught.value.drop is DropReason.HEADER_TOO_LONG
    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert caught.value.partial is not None


def test_a_line_of_just_the_limit_is_taken() -> None:
    line = b"Subject: "
    parse(b"OPTIONS sip:a SIP/2.0\r\n" + line + b"a" * (8_192 - len(line)) + b"\r\n\r\n" + b"b" * 10_000)
