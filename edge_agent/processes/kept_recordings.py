"""What there is to tell of recordings: those of calls and those of conferences in one form."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contract.sync.call_recordings import RecordedConference
from edge_agent.media.applications.conference.recordings import NoSuchRecording, Recordings
from edge_agent.media.recording.store import CallRecordings


@dataclass(frozen=True, slots=True)
class Ended:
    """A recording that has ended and is sealed.

    Args:
        recording_id: names it.
        began_at: when.
        seconds: how long it is.
        announced: whether all were told.
        sip_call_id: of the call's record; empty: it is of a conference.
        conference: which.
    """

    recording_id: str
    began_at: datetime
    seconds: float
    announced: bool
    sip_call_id: str = ""
    conference: RecordedConference | None = None


class Kept(Protocol):
    """The recordings of one kind. Its methods are called in a thread, and wait for the disk."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have this called, in any thread, when one has ended or is gone."""
        ...

    def ended(self) -> Iterable[Ended]:
        """Those that the cloud is to know of."""
        ...

    def goes_on(self, recording_id: str) -> bool:
        """Whether it has not ended yet."""
        ...

    def wav(self, recording_id: str) -> Iterator[bytes]:
        """The file of one.

        Raises:
            OSError, RecordingFailed, NoSuchRecording: it is gone, or cannot be read.
        """
        ...

    def delete(self, recording_id: str) -> None:
        """Let go of one for good; does nothing where it is gone."""
        ...


class KeptCalls:
    """Recordings of calls, as `Kept`."""

    def __init__(self, store: CallRecordings) -> None:
        self._store = store

    def on_change(self, changed: Callable[[], None]) -> None:
        """See `Kept`."""
        self._store.changed = changed

    def ended(self) -> Iterable[Ended]:
        """See `Kept`."""
        return [
            Ended(one.recording_id, one.began_at, one.seconds, one.announced, sip_call_id=one.sip_call_id)
            for one in self._store.all()
        ]

    def goes_on(self, recording_id: str) -> bool:
        """See `Kept`."""
        return recording_id in self._store.unended()

    def wav(self, recording_id: str) -> Iterator[bytes]:
        """See `Kept`."""
        return self._store.wav(recording_id)

    def delete(self, recording_id: str) -> None:
        """See `Kept`."""
        self._store.delete(recording_id)


class KeptConferences:
    """Recordings of conferences, as `Kept`: once they are sealed, since only then they never change any more."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    def on_change(self, changed: Callable[[], None]) -> None:
        """See `Kept`."""
        self._recordings.changed = changed

    def ended(self) -> Iterable[Ended]:
        """See `Kept`; the oldest first. Whoever is in a conference is told that it is recorded, always."""
        return [
            Ended(
                one.recording_id,
                one.began_at,
                one.seconds,
                announced=True,
                conference=RecordedConference(room_id=one.room_id, name=one.name),
            )
            for one in reversed(self._recordings.all())
            if one.sealed
        ]

    def goes_on(self, recording_id: str) -> bool:
        """See `Kept`: one that goes on is not told of, so nobody wants it deleted."""
        return False

    def wav(self, recording_id: str) -> Iterator[bytes]:
        """See `Kept`."""
        return self._recordings.wav(recording_id)

    def delete(self, recording_id: str) -> None:
        """See `Kept`."""
        with contextlib.suppress(NoSuchRecording):
            self._recordings.delete(recording_id)
