"""Browsers, and phones that take encrypted calls only, which an edge calls whose cloud is away: as agents of a queue,
for pages, and for call-backs."""

import re
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from contract.snapshot import Paging
from tests.support.phones.jssip import JssipPhone, phone_browser
from tests.support.phones.phone import Seen
from tests.support.phones.pjsua import PjsuaPhone
from tests.support.phones.site import PeerSite
from tests.support.waiting import eventually
from tests.system.test_call_park import sound_of
from tests.system.test_queues import NUMBERS, snapshot

BROWSER_HZ: Final = 1000
"""What the browser says; phones say 440."""
PAGE: Final = Paging(service_id="page", name="Hall", extension="750", members=("user-201", "user-202"))
PLAIN: Final = re.compile(r"(?m)^m=audio \d+ RTP/AVP ")
SECURE: Final = re.compile(r"(?m)^m=audio \d+ RTP/SAVP ")
KEYED_BY_DTLS: Final = re.compile(r"(?m)^m=audio \d+ UDP/TLS/RTP/SAVPF ")

pytestmark = [pytest.mark.peer("pjsua2"), pytest.mark.timeout(240)]


class SecurePhone(PjsuaPhone):
    """One that neither takes nor makes calls without SRTP."""

    srtp = "mandatory"


class Office:
    """A running edge with a queue and a page, a caller at 200, and whatever phones a test gives to the agent at 201."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        before = snapshot(begin_logged_in=True)
        services = (*before.dial_plan.voice_services, PAGE)
        plan = before.dial_plan.model_copy(update={"voice_services": services})
        self.site = PeerSite(folder, NUMBERS, before.model_copy(update={"dial_plan": plan}))
        self._folder, self._stack, self._has_browser = folder, stack, False
        stack.callback(self.site.stop)
        self.caller = self.phone("200")

    def phone(self, number: str, kind: type[PjsuaPhone] = PjsuaPhone) -> PjsuaPhone:
        """A phone on a desk that is registered."""
        made = kind(f"phone-{number}", self.site.account(number, "udp"), self.site.surroundings)
        self._stack.enter_context(made).wait_for(Seen.REGISTERED)
        return made

    def browser(self, number: str) -> JssipPhone:
        """A browser that is registered."""
        if not self._has_browser:
            JssipPhone.browser = self._stack.enter_context(phone_browser(_tone(self._folder / "said.wav")))
            self._has_browser = True
        made = JssipPhone(f"browser-{number}", self.site.account(number, "wss"), self.site.surroundings)
        self._stack.enter_context(made).wait_for(Seen.REGISTERED)
        return made


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def _tone(path: Path) -> Path:
    samples = (9000 * np.sin(2 * np.pi * BROWSER_HZ * np.arange(48_000 * 5) / 48_000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def hears(phone: PjsuaPhone, hertz: float) -> bool:
    """Whether the last second that a phone heard is a tone of that pitch."""
    last = sound_of(phone.heard()[-1])[-16_000:] if phone.heard() else np.zeros(0)
    spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last)))) ** 2 if len(last) == 16_000 else np.zeros(8001)
    return bool(spectrum[round(hertz) - 8 : round(hertz) + 9].sum() > 0.5 * spectrum.sum() > 0)


def hear_each_other(*phones: PjsuaPhone) -> None:
    for phone in phones:
        eventually(partial(hears, phone, PjsuaPhone.tone_hz), within=30, what=f"{phone.name} hears the other")


@pytest.mark.peer("chromium")
def test_an_agent_at_a_browser_and_a_caller_of_the_queue_hear_each_other(office: Office) -> None:
    agent = office.browser("201")
    office.caller.call("600")
    agent.wait_for(Seen.INCOMING, 30)
    agent.answer()
    agent.wait_for(Seen.ANSWERED)
    assert KEYED_BY_DTLS.search(agent.wait_for(Seen.ANSWER).detail)
    eventually(lambda: abs(agent.pitch() - PjsuaPhone.tone_hz) < 12, within=30, what="the agent hears the caller")
    eventually(lambda: hears(office.caller, BROWSER_HZ), within=30, what="the caller hears the agent")
    office.caller.hang_up()
    agent.closed()


def test_an_agent_whose_phone_takes_encrypted_calls_only_and_a_caller_hear_each_other(office: Office) -> None:
    agent = office.phone("201", SecurePhone)
    office.caller.call("600")
    agent.wait_for(Seen.INCOMING, 30)
    agent.answer()
    agent.wait_for(Seen.ANSWERED)
    assert SECURE.search(agent.wait_for(Seen.ANSWER).detail)
    hear_each_other(office.caller, agent)
    office.caller.hang_up()
    agent.closed()


@pytest.mark.peer("chromium")
def test_a_browser_and_a_phone_of_one_agent_ring_and_the_phone_answers_in_plain(office: Office) -> None:
    browser, desk = office.browser("201"), office.phone("201")
    office.caller.call("600")
    browser.wait_for(Seen.INCOMING, 30)
    desk.wait_for(Seen.INCOMING, 30)
    desk.answer()
    desk.wait_for(Seen.ANSWERED)
    assert PLAIN.search(desk.wait_for(Seen.ANSWER).detail)
    browser.closed()
    hear_each_other(office.caller, desk)
    desk.hang_up()
    office.caller.closed()


@pytest.mark.peer("chromium")
def test_a_page_is_heard_at_a_browser_and_at_a_phone_that_takes_encrypted_calls_only(office: Office) -> None:
    browser, desk = office.browser("201"), office.phone("202", SecurePhone)
    office.caller.call("750")
    browser.wait_for(Seen.INCOMING, 30)
    browser.answer()
    for phone in (browser, desk):
        phone.wait_for(Seen.ANSWERED)
    eventually(lambda: abs(browser.pitch() - PjsuaPhone.tone_hz) < 12, within=30, what="the browser hears the page")
    hear_each_other(desk)
    office.caller.hang_up()
    for phone in (browser, desk):
        phone.closed()


@pytest.mark.peer("chromium")
@pytest.mark.parametrize("kind", ["browsers", "encrypted calls only"])
def test_who_wants_to_be_called_back_at_such_a_phone_is_rung_and_sent_on(office: Office, kind: str) -> None:
    asks, other = (
        office.browser(number) if kind == "browsers" else office.phone(number, SecurePhone) for number in ("201", "202")
    )
    asks.call("*58202")
    asks.wait_for(Seen.ANSWERED)
    asks.closed()
    asks.forget()
    asks.wait_for(Seen.INCOMING, 30)
    asks.answer()
    other.wait_for(Seen.INCOMING, 30)
    other.answer()
    other.wait_for(Seen.ANSWERED)
    for phone in (asks, other):
        phone.wait_for(Seen.HEARD)
