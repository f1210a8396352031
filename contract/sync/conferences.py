"""Conferences in progress, as an edge tells of them and is told what to do; asked at once, and kept nowhere."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.snapshot.conference import LARGEST_CONFERENCE
from contract.values import Frozen, Id, Text, UtcTime

MAX_LIVE: Final = 200
MAX_RECORDINGS: Final = 500

PartyId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
RecordingId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
Action = Literal[
    "mute", "unmute", "mute_others", "unmute_others", "sound", "hear", "kick", "lock", "unlock", "record",
    "stop_recording", "end",
]  # fmt: skip
"""What can be done; `sound` is how loudly the others hear somebody, `hear` how loudly somebody hears the others."""
OF_A_PARTY: Final[frozenset[Action]] = frozenset({"mute", "unmute", "sound", "hear", "kick"})
"""What is done to one of them, who has to be named."""
Decibels = Annotated[int, Field(ge=-12, le=12)]


class LiveParty(Frozen):
    """Somebody who is in a conference, or waits for its moderator."""

    party_id: PartyId
    number: Text
    """User part of the caller's address; proven only where `user_id` is there."""
    name: Text = ""
    user_id: Id | None = None
    """Which user of the site calls."""
    moderator: bool = False
    waiting: bool = False
    muted: bool = False
    speaking: bool | None = None
    """None: the engine does not tell."""
    sound_db: Decibels = 0
    hear_db: Decibels = 0
    came_at: UtcTime


class LiveConference(Frozen):
    """A room that somebody is in."""

    room_id: Id
    name: Text
    extension: Text
    owner: Id | None = None
    began_at: UtcTime
    locked: bool = False
    recorded: bool = False
    parties: Annotated[tuple[LiveParty, ...], Field(max_length=LARGEST_CONFERENCE)] = ()


class LiveConferences(Frozen):
    """Every conference at an edge, in the order of their beginning."""

    conferences: Annotated[tuple[LiveConference, ...], Field(max_length=MAX_LIVE)] = ()


class ConferenceAnswer(Frozen):
    """What came of an order: the conference afterwards, or why nothing was done."""

    refused: Literal["no_conference", "no_party", "not_recorded"] | None = None
    conference: LiveConference | None = None
    """None also when it is over."""


class ConferenceRecording(Frozen):
    """A recording on an edge's disk."""

    recording_id: RecordingId
    room_id: Id
    name: Text
    """Of the room, at that time."""
    began_at: UtcTime
    seconds: Annotated[float, Field(ge=0)]


class ConferenceRecordings(Frozen):
    """The recordings at an edge, the newest first."""

    recordings: Annotated[tuple[ConferenceRecording, ...], Field(max_length=MAX_RECORDINGS)] = ()
    deleted: bool = False
    """Whether the one that was to be deleted was there, and is not any more."""
