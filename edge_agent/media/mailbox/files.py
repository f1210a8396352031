"""What the files of a mailbox are called, and what is in them."""

from __future__ import annotations

import logging
import re
import wave
from collections.abc import Collection
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contract.fax_image import count_pages
from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.message import Message
from edge_agent.media.unfinished import take_copy, take_over

log = logging.getLogger(__name__)

SPEECH: Final = ".wav"
FAX: Final = ".tif"
DRAFT: Final = ".draft"
COMMENT: Final = ".comment.wav"
_SHORTEST_RECOVERED_SECONDS: Final = 1.0
_MOST_FAX_BYTES: Final = 64 * 1024 * 1024


class BadMailbox(MediaError):
    """That is no name of a mailbox."""


def content_suffix(message: Message) -> str:
    """How the name of the file ends that has what was left."""
    return SPEECH if message.fax is None else FAX


def messages_in(folder: Path, known: Collection[str] = ()) -> list[Message]:
    """The messages in a folder that have their sound or pages, but the known ones."""
    found = []
    for file in sorted(folder.glob("*.json")):
        if file.stem in known:
            continue
        try:
            message = Message.model_validate_json(file.read_bytes())
        except (ValidationError, OSError) as error:
            log.warning("message_unreadable", extra={"file": str(file), "why": type(error).__name__})
            continue
        content = folder / f"{message.message_id}{content_suffix(message)}"
        if content.exists() and message.message_id == file.stem:
            found.append(message)
    return found


def drafted(folder: Path, draft: Path) -> Message | None:
    """What was left when we died, as the message that it is to be; None: not enough of it to be one."""
    message_id = draft.name.removesuffix(DRAFT)
    try:
        message = Message.model_validate_json(draft.read_bytes())
        if message.fax is not None:
            pages = fax_pages(folder / f"{message_id}{FAX}")
            return message.model_copy(update={"fax": message.fax.model_copy(update={"pages": pages})})
        speech = folder / f"{message_id}{SPEECH}"
        take_over(speech)
        seconds = wav_seconds(speech)
    except (ValidationError, OSError, MediaError):
        return None
    if seconds < _SHORTEST_RECOVERED_SECONDS:
        return None
    return message.model_copy(update={"duration_seconds": seconds})


def greeting_name(kind: str) -> str:
    """What the file of a greeting of this kind is called."""
    if not re.fullmatch(r"[a-z_]{1,32}", kind):
        raise BadMailbox(f"no kind of greeting: {kind[:32]!r}")
    return f"greeting.{kind}.wav"


def fax_pages(path: Path) -> int:
    """How many whole pages a fax has, which are on the disk then, and which nobody writes to any more.

    Raises:
        MediaError: none.
    """
    try:
        take_copy(path)
        with path.open("rb") as file:
            pages = count_pages(file.read(_MOST_FAX_BYTES))
    except OSError as error:
        raise MediaError(f"{path.name}: no page came: {error}") from error
    if not pages:
        raise MediaError(f"{path.name}: no whole page came")
    return pages


def wav_seconds(path: Path) -> float:
    """How long a recording is.

    Raises:
        MediaError: it is none.
    """
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise MediaError(f"{path.name}: nothing was recorded: {error}") from error
