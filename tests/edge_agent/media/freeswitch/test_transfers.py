"""Transfers on FreeSWITCH: recorded conversations of queues are spoken again, both legs of each."""

import asyncio
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.bridging import bridge
from edge_agent.media.calling import Ringing
from edge_agent.media.errors import SessionEnded
from edge_agent.media.freeswitch import transfers
from edge_agent.media.freeswitch.commands import BadCommand, refer, set_variables, tell_transfer
from edge_agent.media.freeswitch.esl import EslReader, Event
from edge_agent.media.freeswitch.session import FreeSwitchSession
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.ports import CallRefused, Transfer
from tests.edge_agent.media.freeswitch.scenario import Scenario
from tests.edge_agent.media.freeswitch.test_listener import prompt
from tests.support import esl_recordings
from tests.support.counted_tokens import CountedTokens


@dataclass
class Queue:
    """A queue with one agent, as far as its conversation with FreeSWITCH goes."""

    scenario: Scenario
    prompts: tuple[Prompt, ...] = ()
    wanted: list[Transfer] = field(default_factory=list)
    came: list[int] = field(default_factory=list)

    async def run(self, session: MediaSession) -> None:
        """Serve one caller."""
        await session.answer()
        music = asyncio.ensure_future(session.play(prompt("music.wav")))
        sending: list[asyncio.Task[None]] = []

        async def send(transfer: Transfer, told: transfers.TellTransfer) -> None:
            try:
                status = await session.transfer(transfer)
            except SessionEnded:
                status = 487
            self.came.append(status)
            told(status or 200)

        def decide(transfer: Transfer, told: transfers.TellTransfer) -> None:
            self.wanted.append(transfer)
            sending.append(asyncio.ensure_future(send(transfer, told)))

        agent = await self.scenario.ring(Ringing("201", "200", transfers=decide))
        music.cancel()
        await asyncio.wait([music])
        try:
            await bridge(session, agent, "queue-1")
        finally:
            await agent.hang_up()


async def spoken(name: str) -> Queue:
    """What came of a recorded talk."""
    legs = (f"{name}-leg1", f"{name}-leg2")
    queue = Queue(Scenario(legs, placed=legs[1:]))
    await queue.scenario.speak({"queue": queue})
    return queue


async def test_an_agent_sends_the_caller_on_and_is_told_that_it_succeeded() -> None:
    queue = await spoken("51-queue-transfer")
    (wanted,) = queue.wanted
    assert (wanted.target, wanted.replaces, wanted.voucher[:9]) == ("sip:202@demo.tandem.test", "", "user-201.")
    assert queue.came == [200]


async def test_an_agent_who_asked_first_has_the_caller_take_the_place_of_his_call() -> None:
    queue = await spoken("52-queue-attended-transfer")
    (wanted,) = queue.wanted
    call_id, *tags = wanted.replaces.split(";")
    assert (wanted.target, call_id) == ("sip:202@demo.tandem.test", "6hYhv8B.6D5F8f83wz96zeIem4nziEBd")
    assert sorted(tag.partition("=")[0] for tag in tags) == ["from-tag", "to-tag"]
    assert queue.came == [200]


async def test_what_came_of_a_transfer_is_known_of_a_caller_who_hangs_up_right_after_it() -> None:
    queue = await spoken("53-queue-transfer-declined")
    assert queue.came == [486]


def told(value: str, kind: str = "blind_transfer") -> tuple[Transfer, int] | None:
    return transfers.wanted({"Error-Type": kind, "Full-Refer-To": value})


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("<sip:202@b>", (Transfer("sip:202@b"), 0)),
        ("sip:202@b;method=INVITE?X-Tandem-Number=12", (Transfer("sip:202@b"), 12)),
        ("Desk <sips:*97@b:5061;a=b?x-tandem-number=1>;c=d", (Transfer("sips:*97@b:5061;a=b"), 1)),
        (
            "<sip:202@b?X-Tandem-Takes=c%40d%3Bto-tag%3De&X-Tandem-Referrer=u.1.2&X-Tandem-Number=x>",
            (Transfer("sip:202@b", "c@d;to-tag=e", voucher="u.1.2"), 0),
        ),
        ("<tel:202>", None),
        ("<sip:202@b?X-Tandem-Takes=c%0D%0Ad>", None),
        ("<sip:202@b?" + "a" * 3000 + ">", None),
        ("", None),
    ],
)
def test_what_a_refer_asks_for(value: str, wanted: tuple[Transfer, int] | None) -> None:
    assert told(value) == wanted


def test_other_errors_are_no_transfers() -> None:
    assert told("<sip:202@b>", "attended_transfer") is None


@given(st.one_of(st.text(max_size=200), st.text(max_size=100).map(lambda text: f"<sip:a@b?X-Tandem-Takes={text}>")))
def test_no_refer_breaks_it_and_what_it_asks_for_can_be_asked(value: str) -> None:
    if (found := told(value)) is not None:
        transfer, number = found
        assert number >= 0
        try:
            asked = refer("id", transfers.target_of(transfer))
        except BadCommand:
            return
        assert asked.count(b"\n") == 2


def test_what_would_end_a_command_is_not_asked() -> None:
    for target in ("sip:a@b\n\napi status", "sip:a b@c", "tel:1", "sip:a@b>;", "sip:" + "a" * 1024):
        with pytest.raises(BadCommand):
            refer("id", target)
    for value in ("a;b=c", "a\nb"):
        with pytest.raises(BadCommand):
            set_variables("id", {"name": value})
    assert b"\nevent-string: refer\n" in tell_transfer("id", 0, 200)


async def test_a_transfer_that_the_application_refuses_is_answered_so_and_one_that_nobody_takes_too() -> None:
    sent: list[bytes] = []
    session = FreeSwitchSession(sent.append, CountedTokens())
    event = next(
        message
        for message in EslReader().feed(esl_recordings.said_by_freeswitch("51-queue-transfer-leg2"))
        if isinstance(message, Event) and message.name == "CUSTOM"
    )

    def refuse(transfer: Transfer, told: transfers.TellTransfer) -> None:
        raise CallRefused("he is being sent elsewhere already")

    for decide in (None, refuse):
        session.takes_transfers(decide)
        session.receive(event)
    statuses = [re.findall(rb"SIP/2.0 ([0-9]+)", one)[0] for one in sent if one.startswith(b"sendevent")]
    assert statuses == [b"403", b"500"]
