"""Call park put together for the media process."""

from __future__ import annotations

from edge_agent.clock import Clock
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.park import CallPark, ParkConfig, park_config
from edge_agent.media.calling import PhoneCaller
from edge_agent.media.speech import Languages
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare


class SitePark:
    """The orbits of a site.

    Args:
        bell: takes which orbits are taken, for the lamps of phones.
        phones: rings whoever parked a call.
        clock: how long callers wait.
        music: what they hear.
    """

    def __init__(self, bell: Bell, phones: PhoneCaller, clock: Clock, music: HoldMusic) -> None:
        self._bell = bell
        self._prepared: Prepare | None = None
        self._config = ParkConfig()
        self.application = CallPark(Languages(), lambda: self._config, phones, bell.orbits_taken, clock, music)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on; lamps learn what is so now."""
        if self._prepared is not None:
            snapshot, self._prepared = self._prepared.snapshot, None
            language = snapshot.site.voicemail.language
            self._config = park_config(snapshot.dial_plan.voice_services, snapshot.users, language)
            self._bell.orbits_taken(self.application.taken)
