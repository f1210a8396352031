"""Recording of calls put together for the media process: the site's rules for it, its key, its alarm."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from contract.snapshot import RecordingPolicy
from contract.sync.call_recordings import DELETE_CALL_RECORDING
from contract.sync.events import AlarmChanged, Happening
from edge_agent.call_recording_ledger import FILE, CallRecordingLedger
from edge_agent.clock import Clock
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.embedded.wav import load
from edge_agent.media.recording.announcing import Announcement
from edge_agent.media.recording.recorder import Recorders
from edge_agent.media.recording.store import FOLDER, KEY_FILE, CallRecordings
from edge_agent.media.speech import Languages
from edge_agent.processes.call_recording_telling import CallRecordingTelling
from edge_agent.processes.child import Bell
from edge_agent.processes.kept_recordings import KeptCalls, KeptConferences
from edge_agent.processes.keys import edge_key
from edge_agent.processes.link import Prepare
from edge_agent.recorded_sounds import RecordedSounds
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import Tokens

ALARM: Final = "call_not_recorded"
CLEAN_SECONDS: Final = 3600.0


def open_call_recordings(folder: Path, clock: Clock, tokens: Tokens) -> CallRecordings:
    """The recordings of the agent whose state folder this is.

    Raises:
        OSError: the disk would not.
    """
    return CallRecordings(folder / FOLDER, edge_key(folder / KEY_FILE, tokens), clock, tokens)


class SiteCallRecordings:
    """The recordings of a site. Made off the loop's thread: it reads the disk.

    Args:
        folder: the state folder of the agent.
        report: keeps an event; on the loop.
        bell: told that there is something for the cloud.
        clock, tokens: the moment, and nonces.
        conferences: the site's recordings of conferences, which are kept as long and go the same way.
    """

    def __init__(
        self,
        folder: Path,
        report: Callable[[Happening], object],
        bell: Bell,
        clock: Clock,
        tokens: Tokens,
        conferences: Recordings,
    ) -> None:
        self._report, self._bell, self._conferences = report, bell, conferences
        self._loop: asyncio.AbstractEventLoop | None = None
        self._language = ""
        self._prepared = (RecordingPolicy(), "")
        self._problem: str | None = None
        self._languages = Languages()
        self._spoken = cache(self._announcement)
        self._cleaner: asyncio.TimerHandle | None = None
        self.store = open_call_recordings(folder, clock, tokens)
        ledger = CallRecordingLedger(folder / FILE, RecordedSounds(folder, tokens).of)
        outbox = Outbox.open(folder / "outbox.db", clock, tokens)
        kinds = (KeptCalls(self.store), KeptConferences(conferences))
        self._telling = CallRecordingTelling(kinds, ledger, outbox, self._ring)
        self.recorders = Recorders(self.store, lambda: self._spoken(self._language), self._told, clock)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        site = message.snapshot.site
        self._prepared = (site.recording, site.voicemail.language)

    def commit(self) -> None:
        """Go by it; on the loop."""
        self.store.policy, self._language = self._prepared
        self._loop = asyncio.get_running_loop()
        if self._cleaner is None:
            self._telling.begin()
            self._clean()

    async def order(self, name: str, arguments: Mapping[str, str]) -> str:
        """What the cloud wants of a recording (`DELETE_CALL_RECORDING`), or `TELL_CALL_RECORDINGS`.

        Raises:
            DeletionRefused: it cannot be deleted.
        """
        if name == DELETE_CALL_RECORDING:
            return await asyncio.wrap_future(self._telling.delete(arguments.get("recording_id", "")))
        self._telling.look()
        return "told again"

    def close(self) -> None:
        """Wait for the disk, once the relay is closed."""
        if self._cleaner is not None:
            self._cleaner.cancel()
        self.recorders.close()
        self._loop = None
        self._telling.close()

    def _ring(self) -> None:
        """Wake the sender; in the telling's thread."""
        if (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: the next start sends it
                loop.call_soon_threadsafe(self._bell.ring)

    def _announcement(self, language: str) -> Announcement:
        (prompt,) = self._languages.speech(language).phrase("call_recording")
        return Announcement(load(prompt.path))

    def _told(self, problem: str | None) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        text = f"a call is not recorded: {problem}" if problem else "over"
        active = problem is not None
        self._report(AlarmChanged(alarm=ALARM, severity="warning", active=active, text=text[:1024]))

    def _clean(self) -> None:
        loop = asyncio.get_running_loop()
        self.recorders.tick()  # where nothing is relayed, nobody else does
        loop.run_in_executor(None, self.store.clean)
        loop.run_in_executor(None, self._conferences.clean, self.store.policy.kept_days)
        self._cleaner = loop.call_later(CLEAN_SECONDS, self._clean)
