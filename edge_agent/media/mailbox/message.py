"""One message of a mailbox, as it is kept: what is known of it as JSON beside its audio."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from contract.sync.mailbox_events import FaxSheets
from contract.values import Frozen

MessageId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]


class Folder(StrEnum):
    """Where a message lies."""

    INBOX = "inbox"
    SAVED = "saved"
    DELETED = "deleted"


class Caller(Frozen):
    """Who left a message, as the call named them; not proven beyond the site."""

    number: Annotated[str, Field(max_length=256)] = ""
    """User part of the address; empty: withheld."""
    name: Annotated[str, Field(max_length=256)] = ""
    user_id: Annotated[str, Field(max_length=64)] = ""
    """Whose line it was, where the site knows; he can be answered with a message."""


class Message(Frozen):
    """One message."""

    schema_version: Literal[1] = 1
    """Of the file; one of a newer version is left alone and not shown."""
    message_id: MessageId
    caller: Caller
    received_at: AwareDatetime
    duration_seconds: Annotated[float, Field(ge=0)]
    """Of the recording, without a comment."""
    folder: Folder = Folder.INBOX
    heard: bool = False
    urgent: bool = False
    forwarded_by: Caller | None = None
    """Who sent it on; the comment, if there is one, is theirs."""
    comment: bool = False
    """Whether a recorded comment goes before it."""
    deleted_at: AwareDatetime | None = None
    """Since when it lies among the deleted."""
    fax: FaxSheets | None = None
    """None: it is speech. Its recording is a TIFF file otherwise."""

    def moved(self, folder: Folder, now: datetime) -> "Message":
        """The same message in another folder; who moves it has heard it."""
        deleted_at = now if folder is Folder.DELETED else None
        return self.model_copy(update={"folder": folder, "heard": True, "deleted_at": deleted_at})


class Counts(Frozen):
    """How many messages wait, as a message-waiting lamp tells it (RFC 3842 §3.5); the deleted count nowhere."""

    new: int = 0
    old: int = 0
    urgent_new: int = 0
    urgent_old: int = 0
