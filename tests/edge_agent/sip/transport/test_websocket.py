"""SIP over WebSocket, as browsers speak it (RFC 7118), with a client that is not ours."""

import asyncio
import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from edge_agent.clock import Clock, SystemClock
from edge_agent.sip.message import BadMessage, DropReason, Flow, Limits
from edge_agent.sip.transport import PING, SipTransport, TlsIdentity
from edge_agent.sip.transport.stream import Stream
from edge_agent.sip.transport.websocket import WebSocketFraming
from tests.support.certificates import Authority
from tests.support.hand_clock import HandClock
from tests.support.transport_listener import listening
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"
SIP = Subprotocol("sip")
WITHOUT_LENGTH = b"MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid\r\n\r\nhi"


def plain(limits: Limits | None = None, clock: Clock | None = None) -> SipTransport:
    return SipTransport(clock or SystemClock(), ws=(LOOPBACK, 0), limits=limits or Limits())


def client(transport: SipTransport, **more: object) -> connect:
    host, port = transport.local["ws"]
    options: dict[str, object] = {"subprotocols": [SIP], "compression": None, "proxy": None, **more}
    return connect(f"ws://{host}:{port}/", **options)  # type: ignore[arg-type]


async def test_each_websocket_message_is_one_sip_message_and_needs_no_content_length() -> None:
    """RFC 7118 §5.1 and §4.2: one message in each, as text or binary; RFC 7118 §5.4: no Content-Length."""
    transport = plain()
    async with listening(transport, answers=True) as listener, client(transport) as browser:
        assert browser.subprotocol == SIP
        await browser.send(WITHOUT_LENGTH.decode())
        assert await browser.recv() == (b"answer to " + WITHOUT_LENGTH).decode()
        await browser.send(WITHOUT_LENGTH + b"\xff")
        assert await browser.recv() == b"answer to " + WITHOUT_LENGTH + b"\xff"
        assert [data for data, _ in listener.heard] == [WITHOUT_LENGTH, WITHOUT_LENGTH + b"\xff"]
        flow = listener.heard[0][1]
        assert (flow.transport, transport.is_open(flow)) == ("ws", True)


async def test_a_message_in_fragments_is_put_together() -> None:
    transport = plain()
    async with listening(transport) as listener, client(transport) as browser:
        await browser.send([WITHOUT_LENGTH[:9], b"", WITHOUT_LENGTH[9:]])
        await eventually_async(lambda: [data for data, _ in listener.heard] == [WITHOUT_LENGTH])


async def test_crlf_and_ping_keep_alives_are_answered() -> None:
    """RFC 7118 §6."""
    transport = plain()
    async with listening(transport) as listener, client(transport) as browser:
        await browser.send("\r\n\r\n")
        assert await browser.recv() == "\r\n"
        await (await browser.ping())
        assert not listener.heard


@pytest.mark.parametrize("offered", [None, [Subprotocol("mqtt")]])
async def test_a_client_that_does_not_speak_sip_is_refused(offered: list[Subprotocol] | None) -> None:
    """RFC 7118 §4.1: the subprotocol is part of the handshake."""
    transport = plain()
    async with listening(transport) as listener:
        with pytest.raises(InvalidStatus) as caught:
            async with client(transport, subprotocols=offered):
                pass
        assert caught.value.response.status_code == 400
        await eventually_async(lambda: listener.drops == {DropReason.BAD_WEBSOCKET: 1})
        await eventually_async(lambda: not len(transport.streams.admission))


@pytest.mark.parametrize("parts", [[b"x" * 1001], [b"x" * 600, b"x" * 600]])
async def test_a_message_beyond_the_limit_ends_the_connection_with_1009(parts: list[bytes]) -> None:
    transport = plain(Limits(message_bytes=1000))
    async with listening(transport) as listener, client(transport) as browser:
        with suppress(ConnectionClosed):
            await browser.send(parts)
        with pytest.raises(ConnectionClosed):
            await browser.recv()
        assert browser.close_code == 1009
        assert listener.drops == {DropReason.BAD_WEBSOCKET: 1}


async def test_a_handshake_without_an_end_is_refused() -> None:
    transport = plain()
    async with listening(transport) as listener:
        reader, writer = await asyncio.open_connection(*transport.local["ws"])
        writer.write(b"GET / HTTP/1.1\r\n" + b"A: %s\r\n" % (b"b" * 1000) * 20)
        with suppress(ConnectionResetError):
            await reader.read()
        await eventually_async(lambda: listener.drops[DropReason.TOO_LARGE] == 1)
        writer.close()


async def test_an_orderly_close_is_answered_and_ends_the_flow() -> None:
    transport = plain()
    async with listening(transport) as listener:
        async with client(transport) as browser:
            await browser.send(WITHOUT_LENGTH)
            await eventually_async(partial(list.__len__, listener.heard))
        flow = listener.heard[0][1]
        assert browser.close_code == 1000
        await eventually_async(lambda: flow in listener.failed)
        assert not listener.drops


async def test_a_silent_websocket_is_pinged_and_closed_when_it_stays_silent() -> None:
    clock = HandClock()
    transport = plain(clock=clock)
    async with listening(transport) as listener, client(transport, ping_interval=None) as browser:
        await browser.send(WITHOUT_LENGTH)
        await eventually_async(partial(list.__len__, listener.heard))
        for _ in range(3):
            clock.advance(31)
            transport.streams.sweep()
            # The client's pong comes by itself.
            (stream,) = transport.streams.open_streams
            await eventually_async(partial(_heard_at, stream, clock.monotonic()))
        assert not listener.drops
        clock.advance(91)
        transport.streams.sweep()
        assert listener.drops == {DropReason.IDLE_CONNECTION: 1}
        with pytest.raises(ConnectionClosed):
            await browser.recv()


def _heard_at(stream: Stream, moment: float) -> bool:
    return stream.heard == moment


async def test_secure_websocket_shows_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    identity = TlsIdentity(*authority.issue(LOOPBACK))
    transport = SipTransport(SystemClock(), wss=(LOOPBACK, 0), web_tls=identity.web)
    async with listening(transport, answers=True) as listener:
        host, port = transport.local["wss"]
        context = ssl.create_default_context(cafile=str(authority.file))
        async with connect(f"wss://{host}:{port}/", subprotocols=[SIP], ssl=context, proxy=None) as browser:
            await browser.send(WITHOUT_LENGTH.decode())
            assert await browser.recv() == (b"answer to " + WITHOUT_LENGTH).decode()
        assert listener.heard[0][1].transport == "wss"


async def test_nobody_can_be_called_by_opening_a_websocket() -> None:
    transport = plain()
    async with listening(transport) as listener:
        flow = Flow("ws", LOOPBACK, 80)
        transport.send(WITHOUT_LENGTH, flow)
        await eventually_async(lambda: listener.failed == [flow])


def handshake() -> bytes:
    protocol = ClientProtocol(parse_uri("ws://edge.test/"), subprotocols=[SIP])
    protocol.send_request(protocol.connect())
    return b"".join(protocol.data_to_send())


def frames(messages: list[tuple[bytes, int]]) -> bytes:
    """Client frames: each message in fragments of at most so many bytes."""
    protocol = ClientProtocol(parse_uri("ws://edge.test/"))
    protocol.state = State.OPEN
    for data, size in messages:
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            if number:
                protocol.send_continuation(piece, fin=last)
            else:
                protocol.send_binary(piece, fin=last)
    return b"".join(protocol.data_to_send())


messages = st.lists(
    st.tuples(st.one_of(st.binary(min_size=1, max_size=60), st.just(PING)), st.integers(1, 40)), max_size=5
)


@given(messages, st.lists(st.integers(1, 50), max_size=20))
@settings(max_examples=100)
def test_fed_in_any_pieces_frames_give_the_same_messages(sent: list[tuple[bytes, int]], sizes: list[int]) -> None:
    stream = handshake() + frames(sent)
    expected = [data for data, _ in sent if data == PING or data.strip(b"\r\n")]
    assert WebSocketFraming(Limits()).feed(stream) == expected
    framing, got, at = WebSocketFraming(Limits()), list[bytes](), 0
    for size in [*sizes, len(stream)]:
        got += framing.feed(stream[at : at + size])
        at += size
    assert got == expected
    assert not framing.waiting
    assert framing.outgoing().startswith(b"HTTP/1.1 101 ")


@given(st.booleans(), st.lists(st.binary(max_size=100), max_size=8))
@settings(max_examples=150)
def test_any_bytes_give_messages_or_our_one_error(shaken: bool, parts: list[bytes]) -> None:
    framing = WebSocketFraming(Limits(message_bytes=100))
    for part in [handshake()] * shaken + parts:
        try:
            found = framing.feed(part)
        except BadMessage:
            framing.outgoing()
            return
        assert all(len(one) <= 100 for one in found)
        if framing.ended:
            return


def test_frames_that_come_with_a_request_which_is_refused_are_not_looked_at() -> None:
    framing = WebSocketFraming(Limits())
    with pytest.raises(BadMessage):
        framing.feed(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: nonsense\r\n\r\n\x0d\x0a\xff\xff")
    assert framing.ended
    assert framing.outgoing().startswith(b"HTTP/1.1 426 ")
