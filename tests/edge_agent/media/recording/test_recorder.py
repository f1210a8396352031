"""Recordings of relayed streams: how they begin, and what they do after a kill."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from contract.sync.events import Happening
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.errors import PromptError
from edge_agent.media.recording.announcing import Announcement
from edge_agent.media.recording.recorder import LEFT_SECONDS, Recorder, Recorders
from edge_agent.media.recording.sealed import RATE, SECOND_BYTES
from edge_agent.media.recording.store import CallRecording, CallRecordings
from edge_agent.ports import RecordingOrder, RelayedStream, RelayEnd
from edge_agent.processes.call_recordings import SiteCallRecordings, open_call_recordings
from edge_agent.processes.child import Bell
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock
from tests.support.recorded_conferences import conferences_of, record_conference
from tests.support.waiting import eventually_async

ID = "recording-1"
VOICE = Packet(0, 1, 160, 1, b"\x80" * 160).to_bytes()


def stream(call_id: str = "call-1") -> RelayedStream:
    return RelayedStream(RelayEnd(17408), RelayEnd(17410), call_id, record=RecordingOrder(ID, announce=True))


def two_seconds() -> Announcement:
    return Announcement(Sound(np.full(2 * RATE, 8000, dtype=np.int16)))


def left(store: CallRecordings, clock: HandClock, seconds: int, call_id: str = "call-1") -> None:
    """As a kill leaves one."""
    recording = CallRecording(recording_id=ID, sip_call_id=call_id, began_at=clock.now(), announced=True)
    _, writer, _ = store.open(recording)
    for _ in range(seconds):
        writer.append(bytes(SECOND_BYTES))
    writer.close()


async def disk_of(recorders: Recorders, recorder: Recorder | None) -> Recorder:
    """Wait until the disk is ready, and close it as a kill does."""
    assert recorder is not None
    await asyncio.to_thread(recorders.close)  # what the disk told the loop comes before its end
    recorder.close()
    return recorder


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> CallRecordings:
    return open_call_recordings(tmp_path, clock, SystemTokens())


async def test_a_call_id_of_any_length_is_recorded(store: CallRecordings, clock: HandClock) -> None:
    recorders = Recorders(store, two_seconds, lambda problem: None, clock)
    await disk_of(recorders, recorders.begin(stream("x" * 5000)))
    assert store.unended() == (ID,)


@pytest.mark.parametrize(("seconds", "said"), [(0, True), (1, True), (2, False)])
async def test_after_a_kill_the_announcement_is_said_again_unless_it_was_over(
    store: CallRecordings, clock: HandClock, seconds: int, said: bool
) -> None:
    left(store, clock, seconds)
    recorders = Recorders(store, two_seconds, lambda problem: None, clock)
    recorder = await disk_of(recorders, recorders.begin(stream()))
    assert (recorder.hear(0, VOICE, clock.monotonic()) != VOICE) is said


async def test_a_call_whose_announcement_cannot_be_said_is_not_recorded(
    store: CallRecordings, clock: HandClock
) -> None:
    def broken() -> Announcement:
        raise PromptError("call_recording.wav: cannot be read")

    told: list[str | None] = []
    recorders = Recorders(store, broken, told.append, clock)
    await disk_of(recorders, recorders.begin(stream()))
    assert told == ["call_recording.wav: cannot be read"]


async def test_what_a_kill_left_ends_at_a_site_where_nothing_is_relayed(
    store: CallRecordings, clock: HandClock, tmp_path: Path
) -> None:
    left(store, clock, 1)
    happened: list[Happening] = []
    site = SiteCallRecordings(tmp_path, happened.append, Bell(), clock, SystemTokens(), conferences_of(tmp_path, clock))
    clock.advance(LEFT_SECONDS)
    site.commit()
    site.close()
    assert [one.recording_id for one in site.store.all()] == [ID]
    assert happened == []


async def test_other_recordings_of_the_site_are_kept_as_long(clock: HandClock, tmp_path: Path) -> None:
    conferences = conferences_of(tmp_path, clock)
    record_conference(conferences)
    clock.advance(91 * 86_400)
    kept = record_conference(conferences)
    site = SiteCallRecordings(tmp_path, lambda what: None, Bell(), clock, SystemTokens(), conferences)
    site.commit()
    await eventually_async(lambda: conferences.all() == [kept])
    site.close()
