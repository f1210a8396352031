"""The sealed sound of recorded calls and conferences in the state folder, by what the cloud was told of them."""

from functools import cached_property
from pathlib import Path

from contract.sync.call_recordings import CallRecorded
from edge_agent.media.recording import conference
from edge_agent.media.recording.sealed import SealedRecording
from edge_agent.media.recording.store import FOLDER, KEY_FILE
from edge_agent.processes.keys import edge_key
from edge_agent.tokens import Tokens


class RecordedSounds:
    """Reads them, each time anew.

    Args:
        folder: the state folder.
        tokens: should the key, which the media process makes, not be there.
    """

    def __init__(self, folder: Path, tokens: Tokens) -> None:
        self._folder, self._tokens = folder, tokens

    @cached_property
    def _key(self) -> bytes:
        return edge_key(self._folder / KEY_FILE, self._tokens)

    def of(self, told: CallRecorded) -> SealedRecording:
        """The sound of one.

        Raises:
            OSError: it is gone, or cannot be read.
        """
        if told.conference is not None:
            return conference.kept_sound(self._folder / conference.FOLDER, self._key, told.recording_id)
        return SealedRecording(self._folder / FOLDER / f"{told.recording_id}.sealed", self._key, told.recording_id)
