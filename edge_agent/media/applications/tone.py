"""A short tone: the answer to a feature code."""

from pathlib import Path
from typing import Final

from edge_agent.media.session import MediaSession, Prompt

_PROMPTS: Final = Path(__file__).parent.parent / "prompts"
CONFIRMED: Final = Prompt(_PROMPTS / "confirmed.wav")
BEEP: Final = Prompt(_PROMPTS / "beep.wav")
"""Speak after it."""
DECLINED: Final = Prompt(_PROMPTS / "declined.wav")


class Tone:
    """Answers, plays one prompt, and hangs up.

    Args:
        prompt: which.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The one."""
        return (self._prompt,)

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        await session.answer()
        await session.play(self._prompt)
