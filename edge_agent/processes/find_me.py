"""Find-me with a key put together for the media process: it speaks the language of the site."""

from __future__ import annotations

from edge_agent.media.applications.find_me import ConfirmedCalls
from edge_agent.media.calling import PhoneCaller
from edge_agent.media.speech import Languages
from edge_agent.processes.link import Prepare


class SiteFindMe:
    """What asks at places beyond the site.

    Args:
        phones: calls them.
    """

    def __init__(self, phones: PhoneCaller) -> None:
        self._prepared: Prepare | None = None
        self._language = ""
        self.application = ConfirmedCalls(Languages(), lambda: self._language, phones)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on."""
        if self._prepared is not None:
            self._language = self._prepared.snapshot.site.voicemail.language
            self._prepared = None
