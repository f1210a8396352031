"""Announcements: a number says something, once or several times, and then the call ends or goes on elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contract.snapshot import AnnouncementService
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.session import MediaSession, Prompt


class Announcements:
    """Says what the record in the call's argument `service` says.

    Args:
        greetings: the files.
        config: the records by id; asked at the beginning of each call.
    """

    def __init__(self, greetings: Greetings, config: Callable[[], Mapping[str, AnnouncementService]]) -> None:
        self._greetings = greetings
        self._config = config

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """None: what is said is loaded when it is said."""
        return ()

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        record = self._config().get(session.arguments.get("service", ""))
        if record is None:
            return
        await session.answer()
        said = await self._greetings.announcement(record.says, record.language)
        for _ in range(record.times):
            await session.play(*said)
        if record.then is not None:
            await session.transfer(record.then)
