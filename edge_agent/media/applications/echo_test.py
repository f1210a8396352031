"""The echo test: an announcement, and then the caller hears themselves; the first call that a new site makes."""

from pathlib import Path
from typing import Final

from edge_agent.media.session import MediaSession, Prompt

ANNOUNCEMENT: Final = Prompt(Path(__file__).parent.parent / "prompts" / "echo_test.wav")


class EchoTest:
    """Answers, says what it is, and echoes until the caller hangs up."""

    def __init__(self, announcement: Prompt = ANNOUNCEMENT) -> None:
        self._announcement = announcement

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The announcement."""
        return (self._announcement,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        await session.answer()
        await session.play(self._announcement)
        await session.echo()
