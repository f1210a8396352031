"""/sites/{id}/conference-recordings: recordings of conferences, their sound, and their deletion.

As with those of calls only administrators of the tenant reach them, and each listening is in the audit.
"""

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from cloud.api.chalicelib.asking import asking_edges
from cloud.api.chalicelib.begun_listening import Listening, begun_listening
from cloud.api.chalicelib.fields import PathId, Shown
from cloud.api.chalicelib.listening_tickets import HeardSound
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.recorded_sound import CallRecordingNotThere, recorded_peaks, recorded_sound
from cloud.api.chalicelib.sound_parts import AskedPart, IfRange
from cloud.api.chalicelib.work import Current
from cloud.pbx import call_recordings, conference_recordings

router = new_router()

PathRecording = Annotated[str, Path(pattern=r"^[0-9a-f]{8,64}$")]


class ConferenceRecording(Shown):
    """A recording of a conference."""

    recording_id: str
    room_id: str
    name: str = Field(description="Of the room, at that time")
    began_at: datetime
    seconds: float
    audio: call_recordings.Place = Field(description="Where its sound is")


class ConferenceRecordings(Shown):
    """The recordings of the site's conferences, the newest first."""

    items: list[ConferenceRecording]


@router.get(
    "/sites/<site_id>/conference-recordings",
    **operation("getConferenceRecordings", "conferences", "List recordings of conferences", "tenant_admin"),
)
def list_recordings(work: Current, site_id: PathId) -> ConferenceRecordings:
    told = conference_recordings.known(work.session, site_id, work.services.clock.now())
    found = conference_recordings.all_of(asking_edges(work, site_id), told)
    return ConferenceRecordings(items=[ConferenceRecording.model_validate(one) for one in found])


@router.get(
    "/sites/<site_id>/conference-recordings/<recording_id>/audio",
    **operation(
        "getConferenceRecordingAudio",
        "conferences",
        "The sound of a recorded conference, whole or in parts (RFC 9110 §14)",
        "tenant_admin",
    ),
)
def get_audio(
    work: Current, site_id: PathId, recording_id: PathRecording, asked: AskedPart = None, if_range: IfRange = None
) -> Response[str]:
    row = conference_recordings.get_recording(work.session, site_id, recording_id, work.services.clock.now())
    if row is None:
        raise CallRecordingNotThere
    return recorded_sound(work, conference_recordings.of_site(site_id), row, asked, if_range)


@router.post(
    "/sites/<site_id>/conference-recordings/<recording_id>/listening",
    **operation(
        "beginListeningToConferenceRecording",
        "conferences",
        "Let a player ask for parts of a recorded conference",
        "tenant_admin",
        201,
    ),
)
def begin_listening(work: Current, site_id: PathId, recording_id: PathRecording) -> Response[Listening]:
    row = conference_recordings.get_recording(work.session, site_id, recording_id, work.services.clock.now())
    if row is None:
        raise CallRecordingNotThere
    return begun_listening(work, HeardSound("conference", (str(site_id), recording_id)), recorded_peaks(work, row))


@router.delete(
    "/sites/<site_id>/conference-recordings/<recording_id>",
    **operation("deleteConferenceRecording", "conferences", "Delete a recording for good", "tenant_admin", 204),
)
def delete_recording(work: Current, site_id: PathId, recording_id: PathRecording) -> None:
    row = conference_recordings.get_recording(work.session, site_id, recording_id, work.services.clock.now())
    if row is None:  # its edge has not told of it
        conference_recordings.delete_at_edge(asking_edges(work, site_id), recording_id)
        return
    files, of = work.services.files, conference_recordings.of_site(site_id)
    call_recordings.delete_recording(work.desk, files.store if files is not None else None, of, row)
