"""Recordings of conferences on an edge's disk, without a conference."""

import wave
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.recording.conference import Recording
from edge_agent.processes.conferences import open_conference_recordings
from edge_agent.tokens import SystemTokens


def conferences_of(folder: Path, clock: Clock) -> Recordings:
    """Those of the agent whose state folder this is."""
    return open_conference_recordings(folder, clock, SystemTokens())


def record_conference(kept: Recordings, seconds: int = 2, rate: int = 8000, *, seal: bool = True) -> Recording:
    """One that has ended: each second other samples."""
    begun = kept.begin("team", "Team")
    with wave.open(str(kept.audio_file(begun)), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(bytes([second + 1]) * (2 * rate) for second in range(seconds)))
    ended = kept.keep(begun, seal=seal)
    assert ended is not None
    return ended
