"""What an edge tells of the messages in its mailboxes, and the words for changing one from the cloud."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from contract.sync.state import Stamp
from contract.values import Digest, Frozen, Id, UtcTime

CHANGE_MESSAGE: Final = "change_message"
"""Command. Arguments `user_id`, `message_id`, `folder`, `heard` (`true`/`false`), and the stamp of the change:
`wall_ms`, `counter`, `node`. What has a later stamp at the site is left as it is, and the answer says so."""

MAX_RECORDING_BYTES: Final = 64 * 1024 * 1024
"""Of one recording; an hour, the longest that a site can allow, is 57.6 MB."""

MessageId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
MessageFolder = Literal["inbox", "saved", "deleted"]
CallerText = Annotated[str, Field(max_length=256)]


class Recording(Frozen):
    """A message's sound file (WAV, 8 kHz, 16 bits, mono), or its pages (TIFF)."""

    digest: Digest
    size_bytes: Annotated[int, Field(ge=1, le=MAX_RECORDING_BYTES)]


class FaxSheets(Frozen):
    """What came with a message that is a fax; its recording is a TIFF file."""

    pages: Annotated[int, Field(ge=1, le=10_000)]
    """That are whole."""
    station: CallerText = ""
    """What the machine that sent says of itself (TSI, ITU-T T.30); not proven."""
    complete: bool = True
    """False: the sender stopped, or the line did, before it said that all was sent."""
    result: CallerText = ""
    """What the engine says of the transfer, for people."""
    sip_call_id: Annotated[str, Field(max_length=1024)] = ""
    """Of the call's record."""


class MessageChanged(Frozen):
    """A message of a mailbox as it is now; the later stamp counts, whatever comes first."""

    kind: Literal["voicemail"] = "voicemail"
    user_id: Id
    """Whose mailbox."""
    message_id: MessageId
    stamp: Stamp
    """Of its last change, at the site or by the cloud."""
    listed: bool = False
    """True: it is no news that it is there; it was left before this edge told of messages."""
    gone: bool = False
    """True: it was deleted for good, and so is its recording."""
    folder: MessageFolder
    heard: bool
    urgent: bool = False
    caller_number: CallerText = ""
    caller_name: CallerText = ""
    caller_user_id: Id | None = None
    """Whose line it was, where the site knows."""
    forwarded_by: CallerText = ""
    """Name or number of who sent it on; the comment is theirs."""
    received_at: UtcTime
    duration_seconds: Annotated[float, Field(ge=0, le=86_400)]
    deleted_at: UtcTime | None = None
    """Since when it lies among the deleted."""
    recording: Recording
    comment: Recording | None = None
    """What is said before it."""
    fax: FaxSheets | None = None
    """None: it is speech."""

    @model_serializer(mode="wrap")
    def _known_to_older_hubs(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Hubs from before `fax` refuse a message that has the field."""
        content: dict[str, Any] = write(self)
        if self.fax is None:
            content.pop("fax", None)
        return content


class MessageWish(Frozen):
    """How the cloud wants a message to be: what `CHANGE_MESSAGE` asks for."""

    user_id: Id
    message_id: MessageId
    folder: MessageFolder
    heard: bool
    stamp: Stamp

    def arguments(self) -> dict[str, str]:
        """As a command carries it."""
        return {
            "user_id": self.user_id,
            "message_id": self.message_id,
            "folder": self.folder,
            "heard": "true" if self.heard else "false",
            "wall_ms": str(self.stamp.wall_ms),
            "counter": str(self.stamp.counter),
            "node": self.stamp.node,
        }

    @classmethod
    def of_arguments(cls, arguments: Mapping[str, str]) -> "MessageWish":
        """What `arguments` gave, read back.

        Raises:
            pydantic.ValidationError: something is missing, or is not what it should be.
        """
        stamp = {name: arguments[name] for name in ("wall_ms", "counter", "node") if name in arguments}
        rest = {name: value for name, value in arguments.items() if name not in stamp}
        return cls.model_validate({**rest, "stamp": stamp}, strict=False)
