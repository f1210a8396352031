"""Fuzz target: in whatever pieces a stream comes, the same messages are found; STUN is answered or named."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.sip.message import BadMessage, DropReason, Limits
from edge_agent.sip.transport.framing import Framing, PlainFraming
from edge_agent.sip.transport.stun import NotStun, is_stun, stun_answer
from edge_agent.sip.transport.websocket import WebSocketFraming

LIMITS = Limits(message_bytes=2_000, headers=30)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)
_PIECE = 37
_MOST_BYTES = 2_500
"""A little more than a message may have here; feeding byte by byte takes its time."""
_STUN_GAIN = 64


def one_stream(data: bytes) -> None:
    """A stream or a datagram, as the first byte says: `t` TCP, `w` WebSocket, `h` that after its handshake, `s` STUN.

    Raises:
        AssertionError: a property does not hold.
        Exception: whatever else escapes is a finding as well.
    """
    kind, data = data[:1], data[1:_MOST_BYTES]
    if kind == b"s":
        _stun(data)
    elif kind == b"w":
        _cut_alike(lambda: WebSocketFraming(LIMITS), data)
    elif kind == b"h":
        _cut_alike(lambda: WebSocketFraming(LIMITS), HANDSHAKE + data)
    else:
        _cut_alike(lambda: PlainFraming(LIMITS), data)


def cut(framing: Framing, pieces: list[bytes]) -> tuple[list[bytes], DropReason | None]:
    """The messages that come out of these pieces, and why the framing gave up, if it did."""
    found: list[bytes] = []
    for piece in pieces:
        if framing.ended:
            break
        try:
            found += framing.feed(piece)
        except BadMessage as error:
            return found, error.drop
        framing.outgoing()
    return found, None


def _cut_alike(make: Callable[[], Framing], data: bytes) -> None:
    whole, why = cut(make(), [data])
    bytewise, why_bytewise = cut(make(), [data[at : at + 1] for at in range(len(data))])
    pieces, why_pieces = cut(make(), [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)])
    # What came in the same piece as an error is given up with it; nothing else differs.
    assert why == why_bytewise == why_pieces
    for found in (whole, pieces):
        assert found == bytewise[: len(found)]
        assert why is not None or found == bytewise
    assert all(len(message) <= LIMITS.message_bytes for message in bytewise)


def _stun(data: bytes) -> None:
    if not is_stun(data):
        return
    for host in ("192.0.2.7", "2001:db8::7"):
        try:
            answer = stun_answer(data, host, 5060)
        except NotStun:
            return
        assert len(answer) <= len(data) + _STUN_GAIN
        assert is_stun(answer)
