"""A long recording in a browser: heard from any place on without the whole of it."""

import re
import struct
from typing import Final

import pytest
from playwright.sync_api import Response, Route, expect

from tests.cloud.portal.test_call_recordings import open_recorded
from tests.support.api_things import new_call
from tests.support.api_world import ApiWorld
from tests.support.customers import enrolled_edge
from tests.support.left_messages import TellingEdge
from tests.support.portal import Visit
from tests.support.told_recordings import bring_sound, call_sound, recorded

pytestmark = pytest.mark.peer("chromium")

MINUTES: Final = 30
LOUDEST_HZ: Final = """async (audio) => {
    if (!audio.ear) {
        const context = new AudioContext();
        audio.ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        context.createMediaElementSource(audio).connect(audio.ear).connect(context.destination);
    }
    await audio.ear.context.resume();
    const from = audio.currentTime;
    const loudness = new Float32Array(audio.ear.frequencyBinCount);
    do {
        await new Promise((done) => requestAnimationFrame(done));
        audio.ear.getFloatFrequencyData(loudness);
    } while (!audio.ended && (audio.currentTime < from + 1.5 || Math.max(...loudness) < -60));
    return (loudness.indexOf(Math.max(...loudness)) * audio.ear.context.sampleRate) / audio.ear.fftSize;
}"""
"""What an audio element that plays says a second and a half later, in hertz."""


def long_sound(minutes: int = MINUTES) -> bytes:
    """400 Hz on the left first, and twice that from the middle on; silence on the right."""
    second = call_sound(1.0)
    head, low = second[:-16_000], second[-16_000:]
    high = bytearray(low)
    high[::2] = low[::4] * 2
    data = low * (minutes * 30) + bytes(high) * (minutes * 30)
    riff, rest, size = head[:4], head[8:-4], struct.pack("<I", len(data))
    return riff + struct.pack("<I", len(head) - 8 + len(data)) + rest + size + data


def fetched(responses: list[Response]) -> int:
    """Bytes of sound that came; each answer is a part."""
    assert all(one.status == 206 for one in responses), [one.status for one in responses]
    return sum(int(one.headers["content-length"]) for one in responses)


def recorded_call(world: ApiWorld, content: bytes) -> str:
    """A call that was recorded for half an hour; the page of the site's calls."""
    edge = enrolled_edge(world.databases.api, world.ours, world.clock.now()).known
    with world.databases.worker.session(world.ours.scope) as session:
        session.add(new_call(world, world.ours, edge.edge_id, "call-1", world.user_id))
    site, files = f"/sites/{world.ours.site_id}", world.services.files
    assert world.admin.patch(site, {"recording": {"upload": True}}).status == 200
    told = recorded(world.clock, content, "call-1", "recording-1")
    assert TellingEdge(world.databases, edge, world.clock).tell(told) == [None]
    assert files is not None
    assert bring_sound(world.databases, edge, files.store, world.services.keys, world.clock, content).complete
    return f"{site}/calls"


def test_half_an_hour_is_heard_from_its_beginning_and_from_near_its_end_in_parts(world: ApiWorld, msp: Visit) -> None:
    content = long_sound()
    calls, page = recorded_call(world, content), msp.page
    sounds: list[Response] = []
    page.on("response", lambda one: sounds.append(one) if "/listening/" in one.url else None)
    msp.go(calls)
    open_recorded(page)
    shown = page.get_by_role("region", name="Recordings of the call")
    shown.get_by_role("button", name="Listen to the recording of the call").click()
    place = shown.get_by_role("slider")
    expect(place).to_have_attribute("aria-valuemax", str(MINUTES * 60))
    assert sounds == [], "its waveform comes without it"
    heights = place.locator("rect").evaluate_all("bars => bars.map(bar => Math.round(bar.getAttribute('height')))")
    assert min(heights) > 30, "each bar looks at some of its samples"
    shown.get_by_role("button", name="Play recording of the call").click()
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"^0:0[1-9] of 30:00$"))
    assert shown.locator("audio").evaluate(LOUDEST_HZ) == pytest.approx(400, abs=10)
    box = place.bounding_box()
    assert box is not None
    place.click(position={"x": box["width"] * 0.9, "y": 10})
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"^27:0[1-9] of 30:00$"))
    assert shown.locator("audio").evaluate(LOUDEST_HZ) == pytest.approx(800, abs=10)
    got = fetched(sounds)
    print(f"{got} of {len(content)} bytes in {len(sounds)} parts")
    assert got < len(content) / 3
    assert not any("token" in one.url or "=" in one.url for one in sounds)
    assert msp.wrong == []


@pytest.mark.parametrize("held", ["/listening/*/audio", "/calls/*/recordings/*/listening", ""])
def test_who_comes_back_after_the_cookies_time_hears_on_from_there(world: ApiWorld, msp: Visit, held: str) -> None:
    """Play is pressed before the part is refused, before the new cookie is there, or whenever it happens."""
    page = msp.page
    msp.go(recorded_call(world, long_sound(12)))
    open_recorded(page)
    shown = page.get_by_role("region", name="Recordings of the call")
    shown.get_by_role("button", name="Listen to the recording of the call").click()
    place = shown.get_by_role("slider")
    shown.get_by_role("button", name="Play recording of the call").click()
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"^0:0[1-9] of 12:00$"))
    shown.get_by_role("button", name="Pause recording of the call").click()
    world.clock.advance(3600.0)
    statuses: list[int] = []
    page.on("response", lambda one: statuses.append(one.status) if "/listening/" in one.url else None)
    box = place.bounding_box()
    assert box is not None
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    if held:
        page.route(f"**{held}", hold, times=1)
    with page.expect_request(f"**{held or '/listening/*/audio'}"):
        place.click(position={"x": box["width"] * 0.8, "y": 10})
    shown.get_by_role("button", name="Play recording of the call").click()
    expect(shown.get_by_role("button", name="Pause recording of the call")).to_be_visible()
    for route in routes:
        route.continue_()
    expect(place).to_have_attribute("aria-valuetext", re.compile(r"^9:(3[7-9]|[45][0-9]) of 12:00$"))
    expect(shown.get_by_role("alert")).to_have_count(0)
    assert 206 in statuses[statuses.index(401) :]
