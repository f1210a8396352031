"""A call and a conference of real phones, recorded by a whole edge, brought to a whole cloud, heard in a browser."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from cloud.local.baresip import Baresip
from cloud.local.demo_site import DOMAIN
from cloud.local.system import LocalSystem
from tests.support.heard_tone import heard_hz
from tests.support.phones.phone import Seen, Surroundings
from tests.support.portal import chromium, visit
from tests.support.waiting import eventually
from tests.system import test_conferences
from tests.system.conftest import Site, settings_for
from tools.build_portal import build

pytestmark = [pytest.mark.peer("chromium", "baresip", "pjsua2"), pytest.mark.timeout(300)]

TONES: Final = {"200": 400, "201": 640}
"""Who says what, in hertz."""
HEARD: Final = """async (audio) => {
    const context = new AudioContext();
    const sides = context.createChannelSplitter(2);
    context.createMediaElementSource(audio).connect(sides);
    sides.connect(context.destination);
    const ears = [0, 1].map((side) => {
        const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        sides.connect(ear, side);
        return ear;
    });
    await context.resume();
    let found = [0, 0];
    while (!audio.ended && found.includes(0)) {
        await new Promise((done) => requestAnimationFrame(done));
        found = ears.map((ear) => {
            const loudness = new Float32Array(ear.frequencyBinCount);
            ear.getFloatFrequencyData(loudness);
            const most = loudness.indexOf(Math.max(...loudness));
            return audio.currentTime > 0.5 && loudness[most] > -50 ? (most * context.sampleRate) / ear.fftSize : 0;
        });
    }
    return found;
}"""
"""Of an audio element that plays: the loudest frequency on its left and on its right, in hertz."""
HEARD_TOGETHER: Final = """async (audio, tones) => {
    const context = new AudioContext();
    const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    context.createMediaElementSource(audio).connect(ear).connect(context.destination);
    await context.resume();
    while (!audio.ended) {
        await new Promise((done) => requestAnimationFrame(done));
        const loudness = new Float32Array(ear.frequencyBinCount);
        ear.getFloatFrequencyData(loudness);
        const at = (hertz) => loudness[Math.round((hertz * ear.fftSize) / context.sampleRate)];
        if (tones.every((hertz) => at(hertz) > -50 && at(hertz) > at(hertz * 1.2) + 10)) return true;
    }
    return false;
}"""
"""Of an audio element that plays: whether all of these frequencies stand out at one moment, before it ends."""
WIDEBAND_SECOND: Final = 32_000
"""Bytes of a second of a recording in 16 kHz; in 8 kHz half as many."""
ROOM: Final = {"kind": "conference", "service_id": "team", "name": "Team", "extension": "800", "music_alone": False}


class Office:
    """The demo site, whose calls from phone to phone are recorded, with its two phones and its portal."""

    def __init__(self, system: LocalSystem, folder: Path, stack: ExitStack) -> None:
        self.site = Site(system)
        self.path = f"/sites/{self.site.running.site_id}"
        rule = {"name": "All calls", "calls": "inside", "announcement": "none"}
        self.site.api.patch(self.path, {"recording": {"upload": True, "rules": [rule]}})
        eventually(self._rules, within=60, what="the rule is at the edge")
        self._folder, self._stack = folder, stack

    def _rules(self) -> bool:
        newest = self.site.api.get(f"/snapshots?site_id={self.site.running.site_id}&limit=1")["items"][0]
        content = self.site.api.get(f"/snapshots/{self.site.running.site_id}/{newest['version']}")["content"]
        return bool(content["site"]["recording"]["rules"]) and self.site.is_applied()

    def phone(self, which: int) -> Baresip:
        """A registered phone that says its tone all the time."""
        account = self.site.real_phone(which)
        phone = Baresip(self._folder / account.username, account, TONES[account.username], recording=True)
        self._stack.enter_context(phone).registered()
        return phone

    def keyed_phone(self, which: int) -> test_conferences.Phone:
        """A registered phone that presses keys, and knows whose tones it hears."""
        account = self.site.real_phone(which)
        surroundings = Surroundings(self._folder, {"udp": self.site.target}, self._folder / "none", DOMAIN)
        phone = test_conferences.Phone(f"phone-{account.username}", account, surroundings)
        phone.tone_hz = test_conferences.TONES[account.username]
        self._stack.enter_context(phone).wait_for(Seen.REGISTERED)
        return phone

    def being_recorded(self) -> int:
        """Bytes on the edge's disk of a conference that goes on."""
        return sum(file.stat().st_size for file in self._folder.glob("own/edge/conferences/*.wav"))

    def conference_recordings(self) -> list[dict[str, Any]]:
        """Of the site's conferences, as the API lists them."""
        return list(self.site.api.get(f"{self.path}/conference-recordings")["items"])

    def recordings(self) -> list[dict[str, Any]]:
        """Of the site's calls, as the API lists them."""
        calls = self.site.api.get(f"/calls?site_id={self.site.running.site_id}")["items"]
        return [one for call in calls for one in call["recordings"]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    system = LocalSystem(settings_for(tmp_path / "own"), build(), None, lambda _: None)
    with ExitStack() as stack:
        stack.callback(system.stop)
        system.start()
        yield Office(system, tmp_path, stack)


def test_what_two_phones_say_is_heard_in_the_portal_each_on_its_side(office: Office) -> None:
    caller, callee = office.phone(0), office.phone(1)
    caller.dial(f"sip:201@{DOMAIN}")
    callee.accept()
    caller.wait_for("CALL_ESTABLISHED")
    eventually(lambda: heard_hz(caller.folder, 3) == TONES["201"], within=30, what="the caller hears the other")
    eventually(lambda: heard_hz(callee.folder, 3) == TONES["200"], within=30, what="and is heard")
    caller.hang_up()
    callee.wait_for("CALL_CLOSED")
    eventually(
        lambda: [one["audio"] for one in office.recordings()] == ["here"], within=90, what="its sound is in the cloud"
    )
    running = office.site.running
    with chromium() as browser, visit(browser, running.api_url) as tab:
        tab.log_in(running.email, running.password, f"{office.path}/calls")
        row = tab.page.get_by_role("table", name="Calls").get_by_role("row").filter(has_text="Recorded")
        row.get_by_role("button", name="Why the call").click()
        shown = tab.page.get_by_role("region", name="Recordings of the call")
        shown.get_by_role("button", name="Listen to the recording of the call").click()
        shown.get_by_role("button", name="Play recording of the call").click()
        left, right = shown.locator("audio").evaluate(HEARD)
        assert left == pytest.approx(TONES["200"], abs=10)
        assert right == pytest.approx(TONES["201"], abs=10)
        expect(shown.get_by_role("alert")).to_have_count(0)
        assert tab.wrong == []


def test_what_was_said_in_a_conference_is_heard_in_the_portal_after_its_moderator_ended_it(office: Office) -> None:
    office.site.ask_for_services({**ROOM, "owner": office.site.user_id(0)})
    eventually(lambda: office.site.serves("team"), within=60, what="the room is at the edge")
    moderator, guest = office.keyed_phone(0), office.keyed_phone(1)
    for phone in (moderator, guest):
        phone.dials("800")
    moderator.hears_just("201")
    moderator.press("*3")
    eventually(lambda: office.being_recorded() > 8 * WIDEBAND_SECOND, within=60, what="it is recorded for a while")
    moderator.hears_just("201")
    guest.hears_just("200")
    moderator.press("*#")
    for phone in (moderator, guest):
        phone.closed(30)
    eventually(
        lambda: [one["audio"] for one in office.conference_recordings()] == ["here"],
        within=90,
        what="its sound is in the cloud",
    )
    running = office.site.running
    with chromium() as browser, visit(browser, running.api_url) as tab:
        tab.log_in(running.email, running.password, f"{office.path}/conferences")
        table = tab.page.get_by_role("table", name="Recordings")
        table.get_by_role("button", name="Listen to the recording of Team").click()
        player = tab.page.get_by_role("region", name="Player")
        player.get_by_role("button", name="Play recording of Team").click()
        tones = [test_conferences.TONES[number] for number in ("200", "201")]
        assert player.locator("audio").evaluate(HEARD_TOGETHER, tones)
        expect(player.get_by_role("alert")).to_have_count(0)
        assert tab.wrong == []
