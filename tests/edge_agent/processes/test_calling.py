"""Calls that voice applications place on the embedded engine, to a phone on a socket that answers as a test says."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Final, Self

import pytest

from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.media.session import MediaSession
from edge_agent.processes.calling import EmbeddedPlacer
from edge_agent.processes.media import MediaProcess, MediaProcessSettings, build_media_process
from edge_agent.sip.message import Flow
from tests.support.waiting import eventually_async

DOMAIN: Final = "demo.tandem.test"
PLAIN: Final = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
UNUSABLE: Final = PLAIN.replace("RTP/AVP 0", "RTP/AVP 99")


class Phone:
    """Answers each INVITE with the next status; a 2xx has the session description of the test."""

    def __init__(self, *statuses: int, description: str = PLAIN) -> None:
        self._statuses, self._description = list(statuses), description
        self.invites: list[str] = []
        self.acknowledged: list[str] = []
        """What the ACKs of its 2xx had in them."""
        self.hung_up = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self.socket, self.readable)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()

    @property
    def flow(self) -> Flow:
        """The way there."""
        return Flow("udp", *self.socket.getsockname())

    def readable(self) -> None:
        """Messages wait."""
        while True:
            try:
                data, source = self.socket.recvfrom(65535)
            except BlockingIOError:
                return
            head, _, body = data.decode().partition("\r\n\r\n")
            match head.partition(" ")[0]:
                case "INVITE":
                    self.invites.append(data.decode())
                    self._answer(head, source, self._statuses.pop(0))
                case "ACK" if f";tag=said200-{len(self.invites)}" in head:
                    self.acknowledged.append(body)
                case "BYE":
                    self.hung_up += 1
                    self._answer(head, source, 200)

    def _answer(self, head: str, source: tuple[str, int], status: int) -> None:
        kept = re.findall(r"(?m)^(?:Via|From|Call-ID|CSeq): .*?$", head.replace("\r", ""))
        (to,) = re.findall(r"(?m)^To: (.*?)\r?$", head)
        tag = "" if ";tag=" in to else f";tag=said{status}-{len(self.invites)}"
        body = self._description if status == 200 and head.startswith("INVITE") else ""
        contact = f"Contact: <sip:201@127.0.0.1:{self.socket.getsockname()[1]}>"
        kind = ["Content-Type: application/sdp"] if body else []
        lines = [f"SIP/2.0 {status} Said", *kept, f"To: {to}{tag}", contact, *kind, f"Content-Length: {len(body)}"]
        self.socket.sendto("\r\n".join([*lines, "", body]).encode(), source)


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    process = await build_media_process(MediaProcessSettings(engine=EngineSettings("127.0.0.1", 20_000, 39_999)))
    yield process
    await process.close()


async def place(media: MediaProcess, phone: Phone, *, beyond: bool = False) -> MediaSession:
    """Ring it."""
    placer = EmbeddedPlacer(media.user_agent, media.engine, lambda wanted: beyond)
    async with asyncio.timeout(20):
        session = await placer.place(Ringing("201", "600", "Support"), DOMAIN, phone.flow)
        await eventually_async(lambda: phone.acknowledged)
        return session


def kind_of(invite: str) -> str:
    """`browsers`, `plain` or what else an INVITE is."""
    for_browsers = ";x-tandem-browsers" in invite.partition(" SIP/2.0")[0]
    secure = "m=audio " in invite and "UDP/TLS/RTP/SAVPF" in invite and "a=fingerprint:" in invite
    return "browsers" if for_browsers and secure else "plain" if not for_browsers and "RTP/AVP" in invite else invite


async def test_phones_of_the_site_are_rung_as_browsers_and_may_make_the_offer_themselves(media: MediaProcess) -> None:
    async with Phone(200) as phone:
        session = await place(media, phone)
        assert [kind_of(one) for one in phone.invites] == ["browsers"]
        (answer,) = phone.acknowledged
        assert "RTP/AVP 0 101\r\n" in answer
        await session.hang_up()


async def test_beyond_the_site_plain_audio_is_offered_and_the_ack_is_empty(media: MediaProcess) -> None:
    async with Phone(200) as phone:
        session = await place(media, phone, beyond=True)
        assert [kind_of(one) for one in phone.invites] == ["plain"]
        assert phone.acknowledged == [""]
        await session.hang_up()


@pytest.mark.parametrize("status", [400, 415, 488, 606])
@pytest.mark.parametrize(("beyond", "kinds"), [(False, ["browsers", "plain"]), (True, ["plain", "browsers"])])
async def test_who_refuses_a_call_for_its_form_is_called_in_the_other_one(
    media: MediaProcess, status: int, beyond: bool, kinds: list[str]
) -> None:
    async with Phone(status, 200) as phone:
        session = await place(media, phone, beyond=beyond)
        assert [kind_of(one) for one in phone.invites] == kinds
        assert media.engine.sessions == 1
        await session.hang_up()


@pytest.mark.parametrize(("statuses", "status"), [((486,), 486), ((603,), 603), ((488, 488), 488), ((488, 486), 486)])
async def test_any_other_refusal_and_a_second_one_are_the_end(
    media: MediaProcess, statuses: tuple[int, ...], status: int
) -> None:
    async with Phone(*statuses) as phone:
        with pytest.raises(NotReached) as refused:
            await place(media, phone)
        assert (refused.value.status, len(phone.invites)) == (status, len(statuses))
        assert media.engine.sessions == 0


async def test_who_answers_with_what_we_cannot_do_is_hung_up_on_and_not_called_again(media: MediaProcess) -> None:
    async with Phone(200, description=UNUSABLE) as phone:
        with pytest.raises(NotReached):
            await place(media, phone)
        await eventually_async(lambda: phone.hung_up)
        assert (len(phone.invites), phone.acknowledged, media.engine.sessions) == (1, [""], 0)
