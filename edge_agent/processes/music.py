"""Music put together for the media process: who hears which file, and what is told of one that cannot be played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from contract.snapshot import OwnMusic
from contract.sync.events import Happening
from edge_agent.blob_cache import FOLDER as BLOBS_FOLDER
from edge_agent.health.alarms import Alarms
from edge_agent.media.applications.music_on_hold import HoldMusic, MusicChoice, music_choice
from edge_agent.media.applications.uploaded import UploadedSounds
from edge_agent.processes.link import Prepare

FOLDER: Final = "music"
ALARM: Final = "music_unusable"


class _Told:
    """Passes on what is told."""

    def __init__(self, report: Callable[[Happening], object]) -> None:
        self._report = report

    def report(self, what: Happening) -> None:
        """See `Reporter`; kept soon."""
        self._report(what)


class SiteMusic:
    """The music of a site."""

    def __init__(self) -> None:
        self.player = HoldMusic()
        self._prepared: MusicChoice | None = None
        self._sounds: UploadedSounds | None = None
        self._alarms: Alarms | None = None
        self._told: set[OwnMusic] = set()
        self._looking: asyncio.Future[None] | None = None
        self._mark: Path | None = None
        """There while the alarm is active, so that the next run can tell when it is over."""

    def start(self, folder: Path, report: Callable[[Happening], object]) -> None:
        """Play from the disk, and tell of what cannot be played. Off the loop's thread: it reads the disk.

        Args:
            folder: the state folder of the agent.
            report: takes alarms.
        """
        self._sounds = UploadedSounds(folder / FOLDER, folder / BLOBS_FOLDER)
        self._alarms = Alarms(_Told(report))
        self._mark = folder / f"{FOLDER}.alarm"
        self.player.attach(self._sounds, self._unusable)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = music_choice(message.snapshot.dial_plan, message.snapshot.users)

    def commit(self) -> None:
        """Go by it, for those who begin to wait; whether every file can be played is seen meanwhile."""
        if self._prepared is not None:
            choice, self._prepared = self._prepared, None
            self.player.use(choice)
            if self._looking is not None:
                self._looking.cancel()
            if self._sounds is not None:
                self._looking = asyncio.ensure_future(self._look(self._sounds, choice.all))

    async def _look(self, sounds: UploadedSounds, all_music: frozenset[OwnMusic]) -> None:
        def unusable() -> list[OwnMusic]:
            sounds.keep(frozenset(one.digest for one in all_music))
            return [one for one in sorted(all_music, key=lambda one: one.digest) if sounds.find(one.digest) is None]

        self._tell(await asyncio.to_thread(unusable))

    def _tell(self, unusable: Iterable[OwnMusic]) -> None:
        broken = set(unusable)
        for music in self._told - broken:
            self._end(music)
        for music in broken:
            self._unusable(music)
        if self._alarms is not None and self._mark is not None and not broken and self._mark.exists():
            self._alarms.forget(ALARM)
            self._mark.unlink()

    def _end(self, music: OwnMusic) -> None:
        self._told.discard(music)
        if self._alarms is not None:
            self._alarms.end(ALARM, music.digest)
        if not self._told and self._mark is not None:
            self._mark.unlink(missing_ok=True)

    def _unusable(self, music: OwnMusic) -> None:
        self._told.add(music)
        if self._alarms is not None:
            text = f"the music {music.name or music.digest[:12]} cannot be played; what comes with the edge is"
            self._alarms.begin(ALARM, "warning", text, music.digest)
        if self._mark is not None:
            self._mark.touch(mode=0o600)
