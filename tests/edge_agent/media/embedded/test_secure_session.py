"""A call whose keys come by DTLS, on the embedded engine: sockets are real, ticks are made by hand."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge_agent.media.dtls_terms import Fingerprint, IceCredentials
from edge_agent.media.embedded import stun
from edge_agent.media.embedded.dtls import DtlsAssociation
from edge_agent.media.embedded.keying import KEYS_SECONDS
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.srtp import SrtcpReceiver, SrtpReceiver, SrtpSender
from edge_agent.media.embedded.stun import Attribute
from edge_agent.media.errors import NotAcceptable
from edge_agent.media.session import Collected, EndCause, Prompt
from edge_agent.ports import CallRefused
from tests.edge_agent.media.embedded.test_dtls import OURS, THEIRS
from tests.edge_agent.media.embedded.test_session import Call, phone, prompt, started
from tests.support.waiting import eventually_async

__all__ = ["phone", "prompt"]

SECTION = f"a=fingerprint:{THEIRS.fingerprint}\r\na=setup:actpass\r\na=rtpmap:101 telephone-event/8000\r\n"
PLAIN = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {port} UDP/TLS/RTP/SAVP 0 101\r\n" + SECTION
MUXED = PLAIN + "a=rtcp-mux\r\n"
THEIR_ICE = IceCredentials("them", "theirPasswordOf22chars")
ICE = (
    "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 101\r\n" + SECTION + "a=rtcp-mux\r\na=mid:0\r\n"
    f"a=ice-ufrag:{THEIR_ICE.ufrag}\r\na=ice-pwd:{THEIR_ICE.password}\r\n"
)


class Handset:
    """The phone's end: its socket, its handshake, and what it makes of the answer."""

    def __init__(self, call: Call, here: socket.socket) -> None:
        self.call, self.socket = call, here
        here.setblocking(False)
        self.answer = call.session.description.decode()
        hash_name, _, digest = self.said("fingerprint").partition(" ")
        fingerprint = Fingerprint(hash_name, bytes.fromhex(digest.replace(":", "")))
        self.dtls = DtlsAssociation(THEIRS, self.said("setup") == "passive", (fingerprint,))

    def said(self, name: str) -> str:
        found = re.search(rf"(?m)^a={name}:(.*?)\r?$", self.answer)
        return "" if found is None else found[1]

    def send(self, data: bytes, to: socket.socket | None = None) -> None:
        target = to or self.call.session.rtp
        self.socket.sendto(data, ("127.0.0.1", target.getsockname()[1]))

    def received(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(2048))
            except BlockingIOError:
                return found

    async def check(self) -> None:
        """Show that this address is ours, and choose it."""
        ufrag, password = self.said("ice-ufrag"), self.said("ice-pwd")
        attributes = [
            (int(Attribute.USERNAME), f"{ufrag}:{THEIR_ICE.ufrag}".encode()),
            (int(Attribute.PRIORITY), bytes(4)),
            (int(Attribute.USE_CANDIDATE), b""),
        ]
        self.send(stun.message(stun.BINDING_REQUEST, bytes(12), attributes, password.encode()))

        def answered() -> list[bytes]:
            self.call.receive()
            return self.received()

        (answer,) = await eventually_async(answered)
        found = stun.parse(answer)
        assert isinstance(found, stun.Message)
        assert found.kind == stun.BINDING_SUCCESS

    async def handshake(self, to: socket.socket | None = None) -> None:
        """To its end, on the path of `to`, the audio's unless told otherwise."""
        flight = self.dtls.begin()

        def done() -> bool:
            nonlocal flight
            for data in flight:
                self.send(data, to)
            self.call.receive()
            self.call.session.reports_readable()
            flight = [answer for data in self.received() if 20 <= data[0] < 64 for answer in self.dtls.receive(data)]
            return self.dtls.keys is not None and not flight

        await eventually_async(done)


@contextmanager
def calling(phone: socket.socket, prompt: Prompt, offer: str) -> Iterator[tuple[Call, Handset]]:
    call = Call(phone, prompt, offer)
    try:
        yield call, Handset(call, phone)
    finally:
        call.session.rtp.close()
        call.session.rtcp.close()


async def answered(call: Call) -> "asyncio.Task[None]":
    task = asyncio.create_task(call.session.answer())
    await started(task)
    call.session.confirmed(None)
    await started(task)
    return task


@pytest.mark.parametrize("offer", [PLAIN, MUXED, ICE])
async def test_an_answered_call_begins_when_its_keys_are_there_and_is_encrypted_both_ways(
    phone: socket.socket, prompt: Prompt, offer: str
) -> None:
    with calling(phone, prompt, offer) as (call, handset):
        task = await answered(call)
        call.tick(5)
        assert not task.done()
        assert handset.received() == []
        if offer == ICE:
            await handset.check()
        await handset.handshake()
        await task
        assert handset.dtls.keys is not None
        call.tick()
        (audio,) = [data for data in handset.received() if data[1] & 0x7F == 0]
        opened = SrtpReceiver(handset.dtls.keys.theirs, 10).unprotect(audio)
        assert isinstance(opened, bytes)
        assert opened[12:] == b"\xff" * 160
        sender = SrtpSender(handset.dtls.keys.ours, 10)
        handset.send(Packet(101, 1, 160, 7, bytes((5, 0, 0, 160))).to_bytes())
        handset.send(sender.protect(Packet(101, 2, 160, 7, bytes((6, 0, 0, 160))).to_bytes()))

        def heard() -> bool:
            call.receive()
            return call.session.stream.packets_received > 0

        await eventually_async(heard)
        assert await call.session.collect(1, 1.0) == Collected("6", True)
        assert call.session.drops == {"too_short": 1}


async def test_reports_on_a_port_of_their_own_have_a_handshake_of_their_own(
    phone: socket.socket, prompt: Prompt
) -> None:
    with calling(phone, prompt, PLAIN) as (call, handset):
        task = await answered(call)
        await handset.handshake()
        await task
        call.tick(500)
        assert all(data[1] < 192 for data in handset.received())  # no report went anywhere
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.bind(("127.0.0.1", 0))
            reports = Handset(call, here)
            await reports.handshake(call.session.rtcp)
            call.tick(500)
            found = [data for data in reports.received() if 192 <= data[1] <= 223]
            assert found
            assert reports.dtls.keys is not None
            assert handset.dtls.keys is not None
            assert isinstance(SrtcpReceiver(reports.dtls.keys.theirs).unprotect(found[0]), bytes)
            assert not isinstance(SrtcpReceiver(handset.dtls.keys.theirs).unprotect(found[0]), bytes)


async def test_a_caller_who_never_ends_the_handshake_is_hung_up_on(phone: socket.socket, prompt: Prompt) -> None:
    with calling(phone, prompt, MUXED) as (call, _):
        task = await answered(call)
        call.tick(int(KEYS_SECONDS / 0.02) - 1)
        assert not task.done()
        call.tick(2)
        assert call.leg.asked[-1] == "hang_up"
        assert await call.session.over() == EndCause.SILENT
        await asyncio.wait([task])
        assert task.exception() is not None


async def test_a_peer_that_is_gone_ends_the_call_as_without_encryption(phone: socket.socket, prompt: Prompt) -> None:
    with calling(phone, prompt, MUXED) as (call, handset):
        task = await answered(call)
        await handset.handshake()
        await task
        call.tick(int(30.0 / 0.02) + 2)
        assert await call.session.over() == EndCause.SILENT


async def test_a_hold_keeps_the_keys_and_another_certificate_takes_over_once_it_is_proven(
    phone: socket.socket, prompt: Prompt
) -> None:
    offer = MUXED.format(port=phone.getsockname()[1])
    with calling(phone, prompt, MUXED) as (call, handset):
        task = await answered(call)
        await handset.handshake()
        await task
        keys = handset.dtls.keys
        assert keys is not None
        receiver = SrtpReceiver(keys.theirs, 10)
        call.tick()
        assert [isinstance(receiver.unprotect(data), bytes) for data in handset.received()] == [True]
        answer = call.session.reoffered((offer + "a=sendonly\r\n").encode()).decode()
        assert handset.said("fingerprint") in answer
        assert "a=setup:passive" in answer
        assert "a=recvonly" in answer
        call.tick()
        assert handset.received() == []
        changed = offer.replace(str(THEIRS.fingerprint), str(OURS.fingerprint))
        call.session.reoffered(changed.encode())
        call.session.reoffered(offer.encode())
        await Handset(call, phone).handshake()
        call.tick()
        (audio,) = [data for data in handset.received() if data[0] >= 128]
        assert not isinstance(receiver.unprotect(audio), bytes)


async def test_an_offer_of_ours_in_the_middle_of_the_call_goes_on_with_its_keys(
    phone: socket.socket, prompt: Prompt
) -> None:
    with calling(phone, prompt, ICE) as (call, handset):
        task = await answered(call)
        await handset.check()
        await handset.handshake()
        await task
        assert handset.dtls.keys is not None
        receiver = SrtpReceiver(handset.dtls.keys.theirs, 10)
        offer = call.session.reoffered(None).decode()
        assert f"a=ice-pwd:{handset.said('ice-pwd')}" in offer
        assert f"a=fingerprint:{handset.said('fingerprint')}" in offer
        call.session.confirmed(ICE.replace("actpass", "active").encode())
        call.tick()
        audio = [receiver.unprotect(data) for data in handset.received() if data[0] >= 128]
        assert [isinstance(each, bytes) for each in audio] == [True]
        assert call.session.description.decode() == offer
        offered = call.session.reoffered(ICE.encode())
        assert f"a=ice-pwd:{handset.said('ice-pwd')}".encode() in offered
        with pytest.raises(NotAcceptable):
            call.session.reoffered(PLAIN.format(port=4000).replace("UDP/TLS/", "").encode())
        call.tick()
        assert handset.received()


def test_the_same_offer_gets_the_same_answer_and_another_password_another(phone: socket.socket, prompt: Prompt) -> None:
    with calling(phone, prompt, ICE) as (call, handset):
        first = call.session.description
        assert call.session.reoffered(ICE.encode()) == first
        again = call.session.reoffered(ICE.replace(THEIR_ICE.password, "x" * 22).encode())
        assert handset.said("ice-pwd").encode() not in again
        assert handset.said("fingerprint").encode() in again


class Placed(Call):
    """A call of ours that offers what browsers take."""

    def __init__(self, phone: socket.socket, prompt: Prompt) -> None:
        super().__init__(phone, prompt, None)
        self.offer = self.session.offer_for_browsers().decode()


@pytest.fixture
def placed(phone: socket.socket, prompt: Prompt) -> Iterator[Placed]:
    call = Placed(phone, prompt)
    yield call
    call.session.rtp.close()
    call.session.rtcp.close()


def answer_to(offer: str, named: bool = True) -> str:
    """What a browser answers."""
    mid = re.search(r"(?m)^a=mid:(.*?)\r?$", offer)
    assert mid is not None
    return ICE.replace("actpass", "active").replace("a=mid:0\r\n", f"a=mid:{mid[1]}\r\n" if named else "")


def test_what_is_offered_to_browsers_has_all_that_they_ask_for(placed: Placed) -> None:
    """RFC 8827 §6.5, RFC 8834 §4, RFC 8843 §7.2."""
    lines = placed.offer.split("\r\n")
    (media,) = [line for line in lines if line.startswith("m=")]
    assert re.fullmatch(r"m=audio \d+ UDP/TLS/RTP/SAVPF [\d ]+", media)
    for wanted in ("a=setup:actpass", "a=rtcp-mux", "a=ice-lite", "a=end-of-candidates", "a=sendrecv"):
        assert wanted in lines
    names = {line.partition(":")[0] for line in lines}
    assert {"a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "a=candidate", "a=mid", "a=group"} <= names


@pytest.mark.parametrize("named", [True, False])
async def test_a_browser_that_answers_our_offer_is_heard_when_its_keys_are_there(placed: Placed, named: bool) -> None:
    task = asyncio.create_task(placed.session.answer())
    await started(task)
    assert placed.session.taken(answer_to(placed.offer, named).encode()) is None
    await started(task)
    assert not task.done()
    handset = Handset(placed, placed.phone)
    assert handset.answer == placed.offer
    handset.dtls = DtlsAssociation(THEIRS, True, handset.dtls._fingerprints)
    await handset.check()
    await handset.handshake()
    await task
    assert placed.session.reoffered(ICE.encode()).count(handset.said("ice-pwd").encode()) == 1


@pytest.mark.parametrize("offer", [PLAIN, MUXED, ICE])
async def test_a_phone_that_makes_the_offer_itself_is_answered_and_heard_when_its_keys_are_there(
    placed: Placed, offer: str
) -> None:
    task = asyncio.create_task(placed.session.answer())
    await started(task)
    said = offer.format(port=placed.phone.getsockname()[1])
    answer = placed.session.taken(said.encode())
    assert answer is not None
    assert answer == placed.session.description
    assert b"a=setup:passive" in answer
    handset = Handset(placed, placed.phone)
    if offer == ICE:
        await handset.check()
    await handset.handshake()
    await task


async def test_a_phone_that_offers_plain_audio_gets_it_with_our_first_codec(placed: Placed) -> None:
    port = placed.phone.getsockname()[1]
    task = asyncio.create_task(placed.session.answer())
    await started(task)
    said = f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {port} RTP/AVP 0 9 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    answer = placed.session.taken(said.encode())
    assert answer is not None
    assert b"RTP/AVP 9 101\r\n" in answer
    await task
    placed.tick()
    assert placed.phone.recv(2000)[1] & 0x7F == 9


@pytest.mark.parametrize("said", ["", "v=0\r\n", PLAIN.format(port=4000).replace("0 101", "99")])
def test_what_is_neither_an_answer_nor_an_offer_that_will_do_is_refused(placed: Placed, said: str) -> None:
    with pytest.raises(CallRefused):
        placed.session.taken(said.encode())
