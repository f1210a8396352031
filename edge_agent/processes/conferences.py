"""Conferences put together for the media process: rooms by the snapshot, PINs by site state, orders from afar."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from contract.sync.questions import (
    CONFERENCE_ORDER,
    CONFERENCE_RECORDINGS,
    CONFERENCES,
    DELETE_CONFERENCE_RECORDING,
)
from contract.sync.state import StateRecord, merge
from edge_agent.clock import Clock
from edge_agent.media.applications.conference import ConferenceConfig, ConferenceRooms, conference_config
from edge_agent.media.applications.conference.orders import all_shown, carry_out, delete, recordings_shown
from edge_agent.media.applications.conference.recordings import Recordings
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.recording.conference import FOLDER
from edge_agent.media.recording.store import KEY_FILE
from edge_agent.media.speech import Languages
from edge_agent.processes.child import UnknownOrder
from edge_agent.processes.keys import edge_key
from edge_agent.processes.link import Prepare
from edge_agent.tokens import Tokens

ORDERS: Final = frozenset({CONFERENCES, CONFERENCE_ORDER, CONFERENCE_RECORDINGS, DELETE_CONFERENCE_RECORDING})
"""What this takes, of what the agent passes on."""


def open_conference_recordings(folder: Path, clock: Clock, tokens: Tokens, *, tidy: bool = True) -> Recordings:
    """The recordings of the agent whose state folder this is; see `Recordings`.

    Raises:
        OSError: the disk would not.
    """
    return Recordings(folder / FOLDER, edge_key(folder / KEY_FILE, tokens), clock, tokens, tidy=tidy)


class SiteConferences:
    """The conference rooms of a site. Made off the loop's thread: that reads the disk.

    Args:
        folder: the state folder of the agent.
        clock, tokens: the moment, and ids.
        music: what those hear who are alone, or wait for a moderator.
    """

    def __init__(self, folder: Path, clock: Clock, tokens: Tokens, music: HoldMusic) -> None:
        self._state: dict[str, StateRecord] = {}
        self._prepared: Prepare | None = None
        self._message: Prepare | None = None
        self._config = ConferenceConfig()
        self.recordings = open_conference_recordings(folder, clock, tokens)
        self.application = ConferenceRooms(self.recordings, Languages(), lambda: self._config, clock, tokens, music)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on."""
        if self._prepared is not None:
            self._message, self._prepared = self._prepared, None
            self.set_state(self._message.state)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Somebody changed something, such as a PIN."""
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)
        if self._message is not None:
            self._config = conference_config(self._message.snapshot, self._state.values())

    async def order(self, name: str, arguments: Mapping[str, str]) -> str:
        """Answer a question, or do something in a conference; what came of it as JSON.

        Raises:
            UnknownOrder: it is no order of conferences.
            MediaError: it cannot be done, and why.
        """
        if name == CONFERENCES:
            return all_shown(self.application).model_dump_json()
        if name == CONFERENCE_ORDER:
            wanted = [arguments.get(one, "") for one in ("room", "action", "party", "value")]
            return (await carry_out(self.application, *wanted)).model_dump_json()
        if name == DELETE_CONFERENCE_RECORDING:
            recording = arguments.get("recording", "")
            return (await asyncio.to_thread(delete, self.recordings, recording)).model_dump_json()
        if name != CONFERENCE_RECORDINGS:
            raise UnknownOrder(f"conferences know no order {name}")
        return recordings_shown(self.recordings).model_dump_json()
