"""What an edge tells of calls and conferences that it recorded; their sound goes the way of messages' recordings."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.values import Digest, Frozen, Id, Text, UtcTime

DELETE_CALL_RECORDING: Final = "delete_call_recording"
"""Command. Argument `recording_id`: it goes from the edge's disk; done, too, where it is gone already."""
MAX_CALL_RECORDING_BYTES: Final = 512 * 1024 * 1024
"""Of one recording; 480 minutes of a call, the longest that a site can allow, or 4 hours of a conference are 461 MB."""
CALL_PIECE_BYTES: Final = 64 * 1024
"""Of each piece of a call's recording but the last: each is sealed by itself."""


class RecordedConference(Frozen):
    """What was recorded, where it was no call."""

    room_id: Id
    name: Text
    """Of the room, at that time."""


class CallRecorded(Frozen):
    """A recording of a call or conference that has ended, or that is no longer at the edge."""

    kind: Literal["call_recording"] = "call_recording"
    recording_id: Annotated[str, Field(pattern=r"^[0-9a-zA-Z_-]{8,64}$")]
    """The edge's name of it."""
    sip_call_id: Annotated[str, Field(max_length=1024)]
    """Of the call's record, which may come before or after; empty: of a conference."""
    conference: RecordedConference | None = None
    """None: it is of a call."""
    gone: bool = False
    """True: the edge has let go of it."""
    began_at: UtcTime
    seconds: Annotated[float, Field(gt=0, le=86_400)]
    announced: bool
    """Whether both sides were told at the beginning."""
    digest: Digest
    """Of the whole WAV file: of a call two channels of µ-law at 8 kHz, the site's side on the left; of a conference
    one of 16 bits, at 8 or 16 kHz."""
    size_bytes: Annotated[int, Field(ge=1, le=MAX_CALL_RECORDING_BYTES)]
