"""Sound files that were uploaded: blobs of the edge, under names that engines can play."""

import logging
import threading
from collections.abc import Collection
from pathlib import Path

from edge_agent.media.embedded import wav
from edge_agent.media.errors import PromptError
from edge_agent.media.session import Prompt

log = logging.getLogger(__name__)


class UploadedSounds:
    """The files.

    Args:
        folder: where they are kept; made when it is not there.
        blobs: of the edge, by their digests.
    """

    def __init__(self, folder: Path, blobs: Path) -> None:
        self._folder, self._blobs = folder, blobs
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.new"):
            left.unlink(missing_ok=True)

    def find(self, digest: str) -> Prompt | None:
        """A file under a name that says what it is, which FreeSWITCH goes by; None: it cannot be played. Reads it."""
        path = self._folder / f"{digest}.wav"
        try:
            if not path.exists():
                content = (self._blobs / digest).read_bytes()
                if not len(wav.sound_of(content, digest[:12]).samples):
                    raise PromptError(f"{digest[:12]}: there is nothing in it")
                aside = path.with_suffix(f".{threading.get_ident()}.new")
                aside.write_bytes(content)
                aside.replace(path)
        except (OSError, PromptError) as error:
            log.warning("greeting_unusable", extra={"reason": str(error)})
            return None
        return Prompt(path)

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every file but these."""
        for file in self._folder.glob("*.wav"):
            if file.stem not in digests:
                file.unlink(missing_ok=True)
