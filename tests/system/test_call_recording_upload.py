"""Recordings of calls on their way from a whole edge to its cloud, and their deletion from there; kills in between."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.snapshot import RecordingPolicy
from contract.sync.call_recordings import CallRecorded
from edge_agent.clock import SystemClock
from edge_agent.media.recording.sealed import SECOND_BYTES
from edge_agent.media.recording.store import CallRecording, CallRecordings
from edge_agent.processes.call_recordings import open_call_recordings
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess, prepare_state
from tests.support.reachable_cloud import ReachableCloud
from tests.support.snapshots import small_snapshot
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)

SECONDS = 40


class World:
    def __init__(self, folder: Path) -> None:
        site = small_snapshot(1)
        policy = RecordingPolicy(upload=True)
        self.snapshot = site.model_copy(update={"site": site.site.model_copy(update={"recording": policy})})
        self.state_dir = folder / "state"
        self.cloud = ReachableCloud(folder / "cloud", self.snapshot, "cut")
        prepare_state(self.state_dir, self.snapshot, {}, self.cloud.identity)
        _, writer, _ = self.store().open(
            CallRecording(
                recording_id="recording-1", sip_call_id="call-1", began_at=SystemClock().now(), announced=True
            )
        )
        for second in range(SECONDS):
            writer.append(bytes([second]) * SECOND_BYTES)
        writer.close()
        self.edge: EdgeProcess | None = None

    def store(self) -> CallRecordings:
        return open_call_recordings(self.state_dir, SystemClock(), SystemTokens())

    def start(self) -> None:
        self.edge = EdgeProcess(self.state_dir)
        self.edge.ready()

    def kill(self) -> None:
        assert self.edge is not None
        self.edge.kill()

    def told(self) -> list[CallRecorded]:
        """Once each, in order."""
        found = dict.fromkeys(one for one in self.cloud.told() if isinstance(one, CallRecorded))
        return list(found)

    def close(self) -> None:
        if self.edge is not None:
            self.edge.stop()
        self.cloud.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_recording_that_a_kill_left_comes_whole_and_is_deleted_at_the_edge_from_the_cloud(world: World) -> None:
    wav = b"".join(world.store().wav("recording-1"))
    digest = hashlib.sha256(wav).hexdigest()
    world.store().end("recording-1")
    world.start()
    world.kill()  # told on its disk, with the cloud away
    world.cloud.takes(digest, len(wav))
    world.cloud.reach()
    world.start()
    eventually(lambda: world.cloud.recording(digest) == wav, 60, "the recording is in the cloud")
    (told,) = world.told()
    assert (told.recording_id, told.sip_call_id, told.digest, told.gone) == ("recording-1", "call-1", digest, False)
    world.cloud.order("delete_call_recording", {"recording_id": "recording-1"})
    eventually(lambda: [one.gone for one in world.told()] == [False, True], 60, "the edge told that it is gone")
    assert list((world.state_dir / "call_recordings").iterdir()) == []
