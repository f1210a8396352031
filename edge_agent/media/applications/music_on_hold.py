"""Music for those who wait: a phone that holds somebody calls it, and passes what it offers on to them (RFC 7088)."""

from pathlib import Path
from typing import Final

from edge_agent.media.session import MediaSession, Prompt

MUSIC: Final = Prompt(Path(__file__).parent.parent / "prompts" / "music.wav")


class MusicOnHold:
    """Answers, and plays its music again and again until the call ends.

    Who hears it need not be who called: the phone gives the address of whoever it holds as its own (RFC 7088 §2.1).

    Args:
        music: what is played.
    """

    def __init__(self, music: Prompt = MUSIC) -> None:
        self._music = music

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The music."""
        return (self._music,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        await session.answer()
        while True:
            await session.play(self._music)
