"""Hostile streams: in whatever pieces they come, the framer, the parser and a whole transport hold (RFC 4475 §3)."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import SystemClock
from edge_agent.sip.message import BadMessage, DropReason, Limits, parse
from edge_agent.sip.transport import PING, SipTransport, StreamFramer, TlsIdentity
from tests.support.certificates import Authority
from tests.support.transport_listener import MESSAGE, listening
from tests.support.waiting import eventually_async

LIMITS = Limits(message_bytes=2_000, headers=20)

fragments = st.sampled_from(
    [
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"SIP/2.0 200 OK\r\n",
        b"Via: SIP/2.0/TCP h;branch=z9hG4bK1\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: 5\r\n",
        b"l : 3\r\n",
        b"L:4294967296\r\n",
        b"Content-Length\r\n",
        b"Content-Length: 1\r\n 2\r\n",
        b"Content-Length: \xb2\r\n",
        b"X-Content-Length: 9\r\n",
        b"Subject: a\r\n\tl: 7\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r",
        b"\n",
        b"\n\n",
        b"\0",
        b"hello",
        b"\xff\xfe",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
)
streams = st.lists(st.one_of(fragments, st.binary(max_size=20)), max_size=25).map(b"".join)


def cut(pieces: list[bytes]) -> tuple[list[bytes], DropReason | None]:
    """What a framer makes of a stream, and why it gave up."""
    framer, found = StreamFramer(LIMITS), list[bytes]()
    for piece in pieces:
        try:
            found += framer.feed(piece)
        except BadMessage as error:
            return found, error.drop
    return found, None


@given(streams, st.lists(st.integers(1, 40), max_size=40))
@settings(max_examples=300)
def test_hostile_streams_are_cut_alike_in_all_pieces_and_each_message_is_parsed_or_refused(
    stream: bytes, sizes: list[int]
) -> None:
    bytewise, why = cut([stream[at : at + 1] for at in range(len(stream))])
    pieces, at = [], 0
    for size in [*sizes, len(stream)]:
        pieces.append(stream[at : at + size])
        at += size
    in_pieces, why_in_pieces = cut(pieces)
    assert why_in_pieces == why
    # What came in the same piece as the error is given up with it; nothing else differs.
    assert in_pieces == bytewise[: len(in_pieces)]
    assert why is not None or in_pieces == bytewise
    for message in bytewise:
        assert message is PING or not message.startswith((b"\r", b"\n"))
        with suppress(BadMessage):
            parse(message, LIMITS)


@pytest.mark.parametrize("kind", ["tcp", "ws", "tls"])
async def test_after_a_hundred_hostile_streams_an_honest_one_is_served_and_nothing_is_left(
    kind: str, tmp_path: Path
) -> None:
    identity = TlsIdentity(*Authority(tmp_path).issue("127.0.0.1"))
    addresses = {"tcp": ("127.0.0.1", 0), kind: ("127.0.0.1", 0)}
    tls = {"server_tls": identity.server, "web_tls": identity.web}
    transport = SipTransport(SystemClock(), **addresses, **tls, limits=LIMITS)  # type: ignore[arg-type]
    hostile = [
        b"x" * 3_000,
        b"INVITE sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + b"\0" * 300,
        b"\r\n" * 500,
        b"\0",
        b"",
    ]
    async with listening(transport, answers=True) as listener:
        for number in range(104):
            _, writer = await asyncio.open_connection(*transport.local[kind])
            writer.write(hostile[number % len(hostile)])
            with suppress(ConnectionError):
                await writer.drain()
            writer.close()
        await eventually_async(lambda: not len(transport.streams.admission))
        assert sum(listener.drops.values()) >= 13
        reader, writer = await asyncio.open_connection(*transport.local["tcp"])
        writer.write(MESSAGE)
        assert await reader.readexactly(len(b"answer to " + MESSAGE)) == b"answer to " + MESSAGE
        writer.close()
