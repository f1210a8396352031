"""The application: a call from its first menu to where its caller goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.media.applications.attendant.config import AttendantConfig
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.applications.attendant.keeping import Keeping, Write
from edge_agent.media.applications.attendant.visit import Visit
from edge_agent.media.applications.tone import BEEP
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.media.speech import Languages

log = logging.getLogger(__name__)


class AutoAttendant:
    """Answers for the attendants of a site.

    The dial plan tells by the call's arguments: `service` is the attendant's id, `user` that of the user who calls,
    where it is one who proved himself.

    Args:
        languages: what comes with the edge.
        greetings: what attendants say.
        config: asked at the beginning of each call, so that changes count from the next one on.
        special: where special mode was switched by telephone, by the attendant's id; asked likewise.
        recorded_name: the file of the name that a user recorded in his mailbox; None: he has not.
        write: takes site state that a user changed.
        clock: the moment.
    """

    def __init__(
        self,
        languages: Languages,
        greetings: Greetings,
        config: Callable[[], AttendantConfig],
        special: Callable[[], Mapping[str, bool]],
        recorded_name: Callable[[str], Path | None],
        write: Write,
        clock: Clock,
    ) -> None:
        self._languages = languages
        self._greetings = greetings
        self._config = config
        self._special = special
        self._recorded_name = recorded_name
        self._write = write
        self._clock = clock

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The tone; what is spoken is loaded when it is said."""
        return (BEEP,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        config = self._config()
        attendant = config.attendants.get(session.arguments.get("service", ""))
        await session.answer()
        if attendant is None:
            log.warning("attendant_unknown", extra={"service": session.arguments.get("service", "")[:64]})
            await session.play(*self._languages.speech("").phrase("goodbye"))
            return
        special = self._special().get(attendant.service_id, attendant.special_mode)
        keeping = None
        if session.arguments.get("user", "") in config.keepers:
            keeping = Keeping(session, self._greetings, attendant, special, self._write)
        visit = Visit(
            session,
            self._languages,
            self._greetings,
            config,
            attendant,
            keeping,
            self._recorded_name,
            self._clock,
        )
        await visit.run(config.first_menu(attendant, special, self._clock.now().astimezone(UTC)))
