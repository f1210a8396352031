"""The auto attendants put together for the media process: what the snapshot says of them, their greetings and state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from contract.sync.state import StateRecord, merge
from edge_agent.blob_cache import FOLDER as BLOBS_FOLDER
from edge_agent.clock import Clock
from edge_agent.media.applications.attendant import AttendantConfig, AutoAttendant, attendant_config, special_modes
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.speech import Languages
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare

FOLDER: Final = "attendants"


class SiteAttendants:
    """The attendants of a site. Made off the loop's thread: it reads the disk.

    Args:
        folder: the state folder of the agent.
        recorded_name: the file of the name that a user recorded; None: he has not.
        bell: takes what users change.
        clock: the moment.
    """

    def __init__(self, folder: Path, recorded_name: Callable[[str], Path | None], bell: Bell, clock: Clock) -> None:
        languages = Languages()
        self._greetings = Greetings(folder / FOLDER, folder / BLOBS_FOLDER, languages)
        self._state: dict[str, StateRecord] = {}
        self._special: dict[str, bool] = {}
        self._prepared: tuple[AttendantConfig, tuple[StateRecord, ...]] | None = None
        self._config = AttendantConfig()
        self.application = AutoAttendant(
            languages,
            self._greetings,
            lambda: self._config,
            lambda: self._special,
            recorded_name,
            bell.wrote,
            clock,
        )

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = attendant_config(message.snapshot), message.state

    def commit(self) -> None:
        """Go by it, from the next call on; on the loop. Texts are spoken meanwhile."""
        if self._prepared is None:
            return
        (self._config, state), self._prepared = self._prepared, None
        self.set_state(state)
        attendants = tuple(self._config.attendants.values())
        asyncio.get_running_loop().run_in_executor(None, self._greetings.prepare, attendants)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Users changed something, such as special mode."""
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)
        self._special = special_modes(self._state.values())
