"""STUN keep-alives on the SIP port (RFC 5626 §4.4.2, RFC 5389)."""

import asyncio
import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import SystemClock
from edge_agent.sip.message import DropReason
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.transport.stun import NotStun, is_stun, stun_answer
from tests.support.transport_listener import MESSAGE, listening
from tests.support.waiting import eventually_async

TRANSACTION = bytes(range(12))
MAGIC = b"\x21\x12\xa4\x42"


def request(attributes: bytes = b"", kind: int = 1) -> bytes:
    return struct.pack("!HH", kind, len(attributes)) + MAGIC + TRANSACTION + attributes


def mapped_address(answer: bytes) -> tuple[str, int]:
    """The XOR-MAPPED-ADDRESS of an answer (RFC 5389 §15.2)."""
    kind, length, _, family, port = struct.unpack_from("!HHBBH", answer, 20)
    assert (kind, length, family) in {(0x20, 8, 1), (0x20, 20, 2)}
    mask = MAGIC + TRANSACTION
    packed = bytes(one ^ other for one, other in zip(answer[28 : 24 + length], mask, strict=False))
    return str(ip_address(packed)), port ^ 0x2112


@pytest.mark.parametrize(
    ("host", "seen"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::7"), ("::ffff:192.0.2.7", "192.0.2.7")],
)
def test_a_binding_request_is_told_where_it_came_from(host: str, seen: str) -> None:
    answer = stun_answer(request(), host, 40_000)
    assert answer[:2] == b"\x01\x01"
    assert answer[4:20] == MAGIC + TRANSACTION
    assert struct.unpack_from("!H", answer, 2) == (len(answer) - 20,)
    assert mapped_address(answer) == (seen, 40_000)


def test_attributes_that_may_be_ignored_are_and_those_that_may_not_are_refused_with_420() -> None:
    optional = struct.pack("!HH4s", 0x8022, 3, b"abc")
    assert stun_answer(request(optional), "192.0.2.7", 5060)[:2] == b"\x01\x01"
    refused = stun_answer(request(optional + struct.pack("!HH4s", 0x0006, 4, b"user")), "192.0.2.7", 5060)
    assert refused[:2] == b"\x01\x11"
    assert refused[26:28] == bytes((4, 20))
    assert struct.pack("!HHH", 0x000A, 2, 6) in refused


@given(st.binary(max_size=80))
def test_any_bytes_after_the_magic_give_an_answer_or_our_one_error(tail: bytes) -> None:
    data = b"\x00\x01" + tail[:2].ljust(2, b"\0") + MAGIC + TRANSACTION + tail[2:]
    assert is_stun(data)
    try:
        answer = stun_answer(data, "192.0.2.7", 5060)
    except NotStun:
        return
    assert len(answer) <= len(data) + 64


@pytest.mark.parametrize("data", [request(kind=0x0101), request(kind=0x0011), request() + b"x", request(b"x" * 600)])
def test_what_is_no_plain_binding_request_is_not_answered(data: bytes) -> None:
    with pytest.raises(NotStun):
        stun_answer(data, "192.0.2.7", 5060)


async def test_stun_and_sip_share_the_port_and_bad_stun_is_counted() -> None:
    transport = SipTransport(SystemClock(), udp=("127.0.0.1", 0))
    async with listening(transport) as listener:
        with socket.socket(type=socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.setblocking(False)
            for data in (request(kind=0x0101), request(), MESSAGE):
                phone.sendto(data, transport.local["udp"])
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(phone, 1000), 10)
            assert mapped_address(answer) == phone.getsockname()
            await eventually_async(lambda: [data for data, _ in listener.heard] == [MESSAGE])
            assert listener.drops == {DropReason.BAD_STUN: 1}
