"""Telling the cloud of recordings of calls: each once, whatever was killed, and that it is gone."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from contract.sync.call_recordings import CallRecorded, RecordedConference
from edge_agent.call_recording_ledger import FILE, CallRecordingLedger
from edge_agent.media.recording.sealed import SECOND_BYTES
from edge_agent.media.recording.store import CallRecording, CallRecordings
from edge_agent.processes.call_recording_telling import CallRecordingTelling, DeletionRefused
from edge_agent.processes.call_recordings import open_call_recordings
from edge_agent.processes.kept_recordings import KeptCalls, KeptConferences
from edge_agent.recorded_sounds import RecordedSounds
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock
from tests.support.recorded_conferences import conferences_of, record_conference

TOKENS = SystemTokens()


class Edge:
    """The part of a media process that tells; `again` is the next one after a kill."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        self.folder, self.clock = folder, clock
        self.rung = 0
        self.store: CallRecordings = open_call_recordings(folder, clock, TOKENS)
        self.ledger = CallRecordingLedger(folder / FILE, RecordedSounds(folder, TOKENS).of)
        self.outbox = Outbox.open(folder / "outbox.db", clock, TOKENS)
        outbox = Outbox.open(folder / "outbox.db", clock, TOKENS)
        self.conferences = conferences_of(folder, clock)
        kinds = (KeptCalls(self.store), KeptConferences(self.conferences))
        self.telling = CallRecordingTelling(kinds, self.ledger, outbox, self.ring)
        self.telling.begin()

    def ring(self) -> None:
        self.rung += 1

    def record(self, recording_id: str = "recording-1", seconds: int = 2, *, ends: bool = True) -> None:
        recording = CallRecording(recording_id=recording_id, sip_call_id="call-1", began_at=self.clock.now())
        _, writer, _ = self.store.open(recording)
        for second in range(seconds):
            writer.append(bytes([second]) * SECOND_BYTES)
        writer.close()
        if ends:
            self.store.end(recording_id)

    def settle(self) -> None:
        """What was asked of the thread has been done."""
        done: Future[None] = self.telling._thread.submit(lambda: None)
        done.result(30)

    @property
    def told(self) -> list[CallRecorded]:
        """Everything that was ever told, in order."""
        self.settle()
        return [one.body.what for one in self.outbox.read(0, 100) if isinstance(one.body.what, CallRecorded)]

    def again(self) -> "Edge":
        self.close()
        return Edge(self.folder, self.clock)

    def close(self) -> None:
        self.telling.close()
        self.outbox.close()


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    made = Edge(tmp_path, HandClock())
    yield made
    made.close()


def test_a_recording_that_has_ended_is_told_once_with_what_its_file_is(edge: Edge) -> None:
    edge.record(ends=False)
    assert edge.told == []
    edge.store.end("recording-1")
    wav = b"".join(edge.store.wav("recording-1"))
    (told,) = edge.told
    assert (told.recording_id, told.sip_call_id, told.seconds) == ("recording-1", "call-1", 2.0)
    assert (told.size_bytes, told.digest) == (len(wav), hashlib.sha256(wav).hexdigest())
    assert edge.rung == 1
    edge.telling.look()
    again = edge.again()
    assert len(again.told) == 1
    again.close()


def test_what_ended_while_nobody_told_is_told_at_the_next_start(edge: Edge) -> None:
    edge.store.changed = lambda: None  # killed in between
    edge.record()
    assert edge.told == []
    again = edge.again()
    assert [one.recording_id for one in again.told] == ["recording-1"]
    again.close()


def test_one_that_was_deleted_is_told_to_be_gone_and_is_not_sent(edge: Edge) -> None:
    edge.record()
    assert [one.gone for one in edge.told] == [False]
    assert edge.telling.delete("recording-1").result(30) == "gone"
    assert [one.gone for one in edge.told] == [False, True]
    assert edge.ledger.waiting(()) is None
    assert edge.telling.delete("recording-1").result(30) == "gone"
    assert len(edge.told) == 2


def test_one_that_goes_on_is_not_deleted(edge: Edge) -> None:
    edge.record(ends=False)
    with pytest.raises(DeletionRefused, match="goes on"):
        edge.telling.delete("recording-1").result(30)
    assert edge.store.unended() == ("recording-1",)


def test_those_whose_days_are_over_are_told_to_be_gone(edge: Edge) -> None:
    edge.record()
    edge.settle()
    edge.clock.advance(91 * 86_400)
    assert edge.store.clean() == 1
    assert [one.gone for one in edge.told] == [False, True]


def test_a_lost_ledger_costs_telling_again_only(edge: Edge) -> None:
    edge.record()
    first = edge.told
    edge.close()
    for file in edge.folder.glob(f"{FILE}*"):
        file.unlink()
    again = Edge(edge.folder, edge.clock)
    assert again.told == first * 2
    again.close()


def test_a_cloud_that_did_not_take_it_is_told_and_sent_everything_again(edge: Edge) -> None:
    edge.record()
    (first,) = edge.told
    edge.ledger.sent(first.digest)
    edge.ledger.tell_again()
    assert edge.ledger.waiting(()) is None  # not before it is told again
    edge.telling.look()
    assert edge.told == [first, first]
    waiting = edge.ledger.waiting(())
    assert waiting is not None
    assert waiting.digest == first.digest


def test_one_that_cannot_be_read_is_told_of_by_nobody_and_stands_in_no_ones_way(edge: Edge) -> None:
    edge.record("recording-1", ends=False)
    sealed = edge.folder / "call_recordings" / "recording-1.sealed"
    content = bytearray(sealed.read_bytes())
    content[100] ^= 1
    sealed.write_bytes(content)
    edge.store.end("recording-1")
    edge.record("recording-2")
    assert [one.recording_id for one in edge.told] == ["recording-2"]


def test_what_waits_is_read_in_any_pieces_the_oldest_first(edge: Edge) -> None:
    edge.record("recording-1")
    edge.record("recording-2", seconds=3)
    first, second = edge.told
    wav = b"".join(edge.store.wav("recording-1"))
    waiting = edge.ledger.waiting(())
    assert waiting is not None
    assert (waiting.digest, waiting.size_bytes) == (first.digest, len(wav))
    for offset, most in ((0, 10), (0, len(wav)), (50, 20), (16_000, 10_000), (len(wav) - 5, 100), (len(wav), 10)):
        assert waiting.read(offset, most) == wav[offset : offset + most]
    after = edge.ledger.waiting({first.digest})
    assert after is not None
    assert after.digest == second.digest
    edge.store.delete("recording-1")
    with pytest.raises(OSError, match="recording-1"):
        waiting.read(0, 10)


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_a_conference_that_was_recorded_goes_the_same_way_once_it_is_sealed(edge: Edge, rate: int) -> None:
    late = record_conference(edge.conferences, seal=False)
    edge.record()
    kept = record_conference(edge.conferences, rate=rate)
    assert [one.recording_id for one in edge.told] == ["recording-1", kept.recording_id]
    (_, told) = edge.told
    wav = b"".join(edge.conferences.wav(kept.recording_id))
    assert told.conference == RecordedConference(room_id="team", name="Team")
    assert (told.sip_call_id, told.announced, told.seconds) == ("", True, 2.0)
    assert (told.size_bytes, told.digest) == (len(wav), hashlib.sha256(wav).hexdigest())
    waiting = edge.ledger.waiting({edge.told[0].digest})
    assert waiting is not None
    assert waiting.read(0, len(wav)) == wav
    assert waiting.read(50_000, 20_000) == wav[50_000:70_000]
    edge.conferences.clean(90)
    assert [one.recording_id for one in edge.told][2:] == [late.recording_id]


def test_a_recorded_conference_is_deleted_and_told_to_be_gone_wherever_that_is_wanted(edge: Edge) -> None:
    ordered, at_the_site = record_conference(edge.conferences), record_conference(edge.conferences, 3)
    edge.settle()
    assert edge.telling.delete(ordered.recording_id).result(30) == "gone"
    edge.conferences.delete(at_the_site.recording_id)
    assert [(one.recording_id, one.gone) for one in edge.told][2:] == [
        (ordered.recording_id, True),
        (at_the_site.recording_id, True),
    ]
    assert edge.conferences.all() == []
    assert edge.ledger.waiting(()) is None
