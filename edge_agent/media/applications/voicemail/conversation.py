"""What every part of voicemail does with a caller: say something, let them choose, let them record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Final

from edge_agent.media.applications.tone import BEEP
from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.files import wav_seconds
from edge_agent.media.session import MediaSession, Prompt, RecordingEnd
from edge_agent.media.speech import Speech

CHOICE_SECONDS: Final = 5.0
TRIES: Final = 3
NUMBER_SECONDS: Final = 5.0
LONGEST_NUMBER: Final = 20


class Leave(Exception):
    """Whoever calls wants to go, or does not answer any more."""


class Kept(Enum):
    """What became of a recording."""

    KEPT = "kept"
    URGENT = "urgent"
    CANCELLED = "cancelled"


class Conversation:
    """One call's.

    Args:
        session: the call.
        speech: in the language of whoever is spoken to.
    """

    def __init__(self, session: MediaSession, speech: Speech) -> None:
        self.session = session
        self.speech = speech

    async def say(self, *names: str) -> None:
        """Say phrases to their end."""
        await self.session.play(*self.speech.phrase(*names))

    async def choose(self, keys: str, *prompts: Prompt, silent_key: str = "") -> str:
        """Let the caller press one of these keys, three times at most.

        Args:
            keys: that may be pressed.
            prompts: what there is to choose; a key ends them.
            silent_key: stands for no key at all; empty: the prompts are said again.

        Raises:
            Leave: no key, or only wrong ones.
        """
        for _ in range(TRIES):
            await self.session.play(*prompts, barge_in=True)
            key = (await self.session.collect(1, CHOICE_SECONDS, terminators="")).digits
            if key and key in keys:
                return key
            if key:
                await self.say("invalid")
            elif silent_key:
                return silent_key
        raise Leave

    async def ask_number(self, *names: str) -> str:
        """Digits, ended by pound; empty: none came."""
        await self.session.play(*self.speech.phrase(*names), barge_in=True)
        return (await self.session.collect(LONGEST_NUMBER, NUMBER_SECONDS)).digits

    async def record(
        self,
        path: Path,
        longest_seconds: float,
        shortest_seconds: float,
        silence_seconds: float,
        review: str,
        introduction: Iterable[Prompt] = (),
    ) -> Kept:
        """Let the caller record something, listen to it, and record it again.

        Args:
            path: where to.
            longest_seconds: of a recording.
            shortest_seconds: what is shorter is recorded again.
            silence_seconds: it ends when nobody speaks for so long.
            review: the phrase that tells the choices: 1 listen, 2 keep, 3 again, 4 urgent where it is told, * cancel.
            introduction: said before each recording.

        Raises:
            RecordingFailed: the disk would not.
        """
        keys = "1234*" if review == "deposit_review" else "123*"
        introduction = tuple(introduction)
        for _ in range(10):
            await self.session.play(*introduction, barge_in=True)
            if introduction:
                await self.session.collect(1, 0.01, terminators="")  # the key that ended it means nothing
            await self.session.play(BEEP)
            done = await self.session.record(path, longest_seconds, silence_seconds, "0123456789*#")
            if done.seconds < shortest_seconds:
                await self.say("too_short")
                if done.end is RecordingEnd.SILENCE:
                    break
                continue
            match await self._reviewed(path, keys, review):
                case "2":
                    return Kept.KEPT
                case "4":
                    return Kept.URGENT
                case "*":
                    break
        return Kept.CANCELLED

    async def _reviewed(self, path: Path, keys: str, review: str) -> str:
        """The key that ends the review; who says nothing, or nothing that makes sense, keeps it."""
        for _ in range(10):
            try:
                key = await self.choose(keys, *self.speech.phrase(review), silent_key="2")
            except Leave:
                return "2"
            if key != "1":
                return key
            await self.session.play(Prompt(path), barge_in=True)
        return "2"


async def seconds_of(path: Path) -> float:
    """How long a recording is; 0: there is none."""
    try:
        return await asyncio.to_thread(wav_seconds, path)
    except MediaError:
        return 0.0
