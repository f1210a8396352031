"""A recording of a conference on the disk, and its sound once that is sealed; `Recordings` keeps them."""

import functools
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from contract.values import Frozen, Id, Text
from edge_agent.media.recording.sealed import SealedRecording
from edge_agent.media.wav_head import linear_head

FOLDER: Final = "conferences"
"""Of the agent's state folder."""
_ID: Final = re.compile(r"[0-9a-f]{8,64}")


class Recording(Frozen):
    """One recording."""

    schema_version: Literal[1] = 1
    """Of the file; one of a newer version is left alone and not shown."""
    recording_id: Annotated[str, Field(pattern=_ID.pattern)]
    room_id: Id
    name: Text
    """Of the room."""
    began_at: AwareDatetime
    seconds: Annotated[float, Field(ge=0)] = 0.0
    rate: Literal[8000, 16000] = 8000
    """Samples in a second."""
    sealed: bool = False
    """Whether its sound is encrypted; false: it was not yet, or the disk had no room for that."""

    @property
    def bound_name(self) -> str:
        """What its seconds are bound to: no recording of a call has this name."""
        return f"conference {self.recording_id}"


def sealed_sound(root: Path, site_key: bytes, recording: Recording) -> SealedRecording:
    """The sound of one that is sealed.

    Raises:
        OSError: it cannot be read.
    """
    head = functools.partial(linear_head, rate=recording.rate)
    return SealedRecording(root / f"{recording.recording_id}.sealed", site_key, recording.bound_name, head)


def kept_sound(root: Path, site_key: bytes, recording_id: str) -> SealedRecording:
    """The sound of the one of this id, by what the disk says of it.

    Raises:
        OSError: it is gone, or cannot be read.
    """
    try:
        recording = Recording.model_validate_json((root / f"{recording_id}.json").read_bytes())
    except ValidationError as error:
        raise OSError(f"the recording {recording_id[:64]} cannot be read") from error
    return sealed_sound(root, site_key, recording)
