"""Sounds in memory: those of applications from the start, others while there is room, each decoded once for all."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_agent.media.embedded import wav
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.session import Prompt

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of the samples of sounds that are no application's own: some half an hour."""


class Sounds:
    """What calls are played.

    Args:
        kept: those that stay, by their files.
        most_bytes: of the others; those that were played longest ago go first.
    """

    def __init__(self, kept: Mapping[Path, Sound], most_bytes: int = MOST_BYTES) -> None:
        self._kept = kept
        self._most = most_bytes
        self._recent: OrderedDict[tuple[Path, int, int], Sound] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    async def of(self, prompt: Prompt) -> Sound:
        """The sound of a prompt.

        Raises:
            PromptError: it cannot be used.
        """
        kept = self._kept.get(prompt.path)
        return kept if kept is not None else await asyncio.to_thread(self._load, prompt.path)

    def _load(self, path: Path) -> Sound:
        """A file, from memory where it is as it was."""
        try:
            status = path.stat()
        except OSError:
            return wav.load(path)  # which says what is wrong
        key = (path, status.st_mtime_ns, status.st_size)
        # Whoever wants the same meanwhile waits for it, instead of decoding it as well.
        with self._lock:
            if (found := self._recent.get(key)) is not None:
                self._recent.move_to_end(key)
                return found
            sound = wav.load(path)
            self._recent[key] = sound
            self._bytes += sound.samples.nbytes
            while self._bytes > self._most:
                _, oldest = self._recent.popitem(last=False)
                self._bytes -= oldest.samples.nbytes
            return sound
