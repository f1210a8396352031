"""Hot desks put together for the media process: who may log in, by the snapshot and what users set."""

from __future__ import annotations

from collections.abc import Iterable

from contract.sync.state import StateRecord, merge
from edge_agent.clock import Clock
from edge_agent.media.applications.hot_desk import HotDeskConfig, HotDeskLogin, hot_desk_config
from edge_agent.media.speech import Languages
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare


class SiteHotDesks:
    """The log-in of a site.

    Args:
        bell: takes who logged in where.
        clock: the moment.
    """

    def __init__(self, bell: Bell, clock: Clock) -> None:
        self._state: dict[str, StateRecord] = {}
        self._prepared: Prepare | None = None
        self._message: Prepare | None = None
        self._config = HotDeskConfig()
        self.application = HotDeskLogin(Languages(), lambda: self._config, bell.wrote, clock)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on."""
        if self._prepared is not None:
            self._message, self._prepared = self._prepared, None
            self.set_state(self._message.state)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Users changed something, such as a PIN."""
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)
        if self._message is not None:
            self._config = hot_desk_config(self._message.snapshot.users, self._state.values())
