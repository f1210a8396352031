"""Recordings of conferences: those that edges told of, and those that edges know which tell of none by themselves.

Sound, deletion and the days that they are kept are those of recordings of calls (`cloud.pbx.call_recordings`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import CallRecording, Site
from cloud.pbx.call_recordings import Heard, Place, is_over, place_of, sites_that_upload
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.conferences import Asking
from cloud.pbx.errors import NotFound
from cloud.pbx.questions import EdgeCannotAnswer, EdgeOffline, EdgeSilent
from contract.sync.conferences import ConferenceRecordings
from contract.sync.questions import CONFERENCE_RECORDINGS, DELETE_CONFERENCE_RECORDING


@dataclass(frozen=True, slots=True)
class Shown:
    """A recording of a conference.

    Args:
        recording_id: the edge's name of it.
        room_id: of which conference.
        name: of the room, at that time.
        began_at: when.
        seconds: how long it is.
        audio: where its sound is.
    """

    recording_id: str
    room_id: str
    name: str
    began_at: datetime
    seconds: float
    audio: Place


def of_site(site_id: UUID) -> Heard:
    """What is recorded is a conference of this site, for the audit."""
    return Heard("conference_recording", "site", site_id)


def known(session: Session, site_id: UUID, now: datetime) -> dict[str, Shown | None]:
    """Those that the site's edges told of, by their names; None: it was deleted here, or is kept no longer.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, site_id)
    these = (CallRecording.site_id == site_id, CallRecording.room_id.is_not(None))
    shown = set(session.scalars(select(CallRecording.id).where(*these, ~is_over(session, [site_id], now))))
    uploading = sites_that_upload(session, [site_id])
    return {
        row.recording_id: _shown(row, uploading) if row.deleted_at is None and row.id in shown else None
        for row in session.scalars(select(CallRecording).where(*these))
    }


def all_of(asking: Asking, told: Mapping[str, Shown | None]) -> list[Shown]:
    """The recordings of a site, the newest first: those that it told of, and those that only its edges know.

    Args:
        asking: asks the edges that are online.
        told: what `known` gave.

    Raises:
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: nothing is known without the edge, and it does not answer.
    """
    found = [one for one in told.values() if one is not None]
    try:
        for answer in asking.ask(CONFERENCE_RECORDINGS):
            found += [
                Shown(one.recording_id, one.room_id, one.name, one.began_at, one.seconds, "at_the_site")
                for one in ConferenceRecordings.model_validate_json(answer).recordings
                if one.recording_id not in told
            ]
    except (EdgeOffline, EdgeSilent, EdgeCannotAnswer):
        if not found:
            raise
    return sorted(found, key=lambda one: one.began_at, reverse=True)


def get_recording(session: Session, site_id: UUID, recording_id: str, now: datetime) -> CallRecording | None:
    """One that the site's edges told of; None: they told of none of this name.

    Raises:
        NotFound: there is no such site in this scope; or it was deleted, or is kept no longer.
    """
    get_or_refuse(session, Site, site_id)
    row = session.scalar(
        select(CallRecording).where(
            CallRecording.site_id == site_id,
            CallRecording.room_id.is_not(None),
            CallRecording.recording_id == recording_id,
        )
    )
    if row is None:
        return None
    over = select(CallRecording.id).where(CallRecording.id == row.id, is_over(session, [site_id], now))
    if row.deleted_at is not None or session.scalar(over) is not None:
        raise NotFound
    return row


def delete_at_edge(asking: Asking, recording_id: str) -> None:
    """Have the edge that has a recording which nobody told of delete it for good; no further edge is asked then.

    Raises:
        NotFound: none has it.
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: there is no answer.
    """
    answers = asking.ask(DELETE_CONFERENCE_RECORDING, recording=recording_id)
    if not any(ConferenceRecordings.model_validate_json(answer).deleted for answer in answers):
        raise NotFound


def _shown(row: CallRecording, uploading: Collection[UUID]) -> Shown:
    place = place_of(row, uploading)
    return Shown(row.recording_id, row.room_id or "", row.room_name or "", row.began_at, row.seconds, place)
