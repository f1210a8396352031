"""What is asked of conferences from afar, and what they are told to do (`contract.sync.conferences`)."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter, ValidationError

from contract.sync.conferences import (
    MAX_LIVE,
    OF_A_PARTY,
    Action,
    ConferenceAnswer,
    ConferenceRecording,
    ConferenceRecordings,
    Decibels,
    LiveConference,
    LiveConferences,
    LiveParty,
)
from edge_agent.media.applications.conference.application import ConferenceRooms
from edge_agent.media.applications.conference.live import LiveRoom, Party
from edge_agent.media.applications.conference.recordings import NoSuchRecording, Recordings
from edge_agent.media.errors import MediaError, RecordingFailed

_action: Final[TypeAdapter[Action]] = TypeAdapter(Action)
_decibels: Final[TypeAdapter[int]] = TypeAdapter(Decibels)


class BadOrder(MediaError):
    """The order is none that conferences know."""


def shown(live: LiveRoom) -> LiveConference:
    """One conference, as it is told of."""
    speaking = live.speaking()
    return LiveConference(
        room_id=live.room.room_id,
        name=live.room.name,
        extension=live.room.extension,
        owner=live.room.owner.user_id if live.room.owner is not None else None,
        began_at=live.began_at,
        locked=live.locked,
        recorded=live.is_recorded,
        parties=tuple(_party(one, speaking) for one in live.parties),
    )


def all_shown(rooms: ConferenceRooms) -> LiveConferences:
    """Every conference."""
    return LiveConferences(conferences=tuple(shown(one) for one in rooms.live[:MAX_LIVE]))


async def carry_out(rooms: ConferenceRooms, room_id: str, action: str, party_id: str, value: str) -> ConferenceAnswer:
    """Do something in a conference.

    Args:
        rooms: of the site.
        room_id: which.
        action: one of `contract.sync.conferences.Action`.
        party_id: whom it is done to, where it is done to one.
        value: decibels, where loudness changes.

    Raises:
        BadOrder: the action or the value is none.
    """
    try:
        wanted = _action.validate_python(action)
        decibels = _decibels.validate_python(value or "0")
    except ValidationError as error:
        raise BadOrder(f"no order: {action[:40]!r}, {value[:20]!r}") from error
    live = rooms.live_room(room_id)
    if live is None:
        return ConferenceAnswer(refused="no_conference")
    party = live.party(party_id)
    if wanted in OF_A_PARTY and party is None:
        return ConferenceAnswer(refused="no_party", conference=shown(live))
    try:
        if party is not None and wanted in OF_A_PARTY:
            await _to_one(live, party, wanted, decibels)
        else:
            await _to_all(live, wanted)
    except RecordingFailed:
        return ConferenceAnswer(refused="not_recorded", conference=shown(live))
    return ConferenceAnswer(conference=shown(live) if rooms.live_room(room_id) is live else None)


async def _to_one(live: LiveRoom, party: Party, action: Action, decibels: int) -> None:
    match action:
        case "mute" | "unmute":
            await live.mute(party, muted=action == "mute", by_moderator=True)
        case "sound":
            await live.sound(party, decibels)
        case "hear":
            await live.hear(party, decibels)
        case _:
            await live.dismiss(party)


async def _to_all(live: LiveRoom, action: Action) -> None:
    match action:
        case "mute_others" | "unmute_others":
            await live.mute_others(None, muted=action == "mute_others")
        case "lock" | "unlock":
            live.lock(locked=action == "lock")
        case "record":
            await live.record()
        case "stop_recording":
            await live.stop_recording()
        case _:
            await live.end()


def delete(recordings: Recordings, recording_id: str) -> ConferenceRecordings:
    """Delete a recording; those that are left. Waits for the disk."""
    try:
        recordings.delete(recording_id)
    except NoSuchRecording:
        return recordings_shown(recordings)
    return recordings_shown(recordings, deleted=True)


def recordings_shown(recordings: Recordings, *, deleted: bool = False) -> ConferenceRecordings:
    """Every recording that has ended."""
    return ConferenceRecordings(
        deleted=deleted,
        recordings=tuple(
            ConferenceRecording(
                recording_id=one.recording_id,
                room_id=one.room_id,
                name=one.name,
                began_at=one.began_at,
                seconds=one.seconds,
            )
            for one in recordings.all()
        ),
    )


def _party(party: Party, speaking: frozenset[object] | None) -> LiveParty:
    return LiveParty(
        party_id=party.party_id,
        number=_line(party.number),
        name=_line(party.name),
        user_id=party.user_id or None,
        moderator=party.is_moderator,
        waiting=party.mix is None,
        muted=party.seat.muted,
        speaking=None if speaking is None else party.session in speaking,
        sound_db=round(party.seat.gain_db),
        hear_db=round(party.seat.hears_db),
        came_at=party.came_at,
    )


def _line(text: str) -> str:
    """What a caller says of itself, as one line of text."""
    return "".join(one for one in text if one >= " " and one != "\x7f")[:255]
