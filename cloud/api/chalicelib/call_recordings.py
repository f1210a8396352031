"""/calls/{id}/recordings: the sound of a recorded call, and its deletion.

What was said in a call concerns whoever spoke, so only administrators of the tenant reach it, and each listening and
each deletion is in the audit. Users see of their own calls that they were recorded.
"""

from aws_lambda_powertools.event_handler import Response

from cloud.api.chalicelib.begun_listening import Listening, begun_listening
from cloud.api.chalicelib.fields import PathId
from cloud.api.chalicelib.listening_tickets import HeardSound
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.recorded_sound import recorded_peaks, recorded_sound
from cloud.api.chalicelib.sound_parts import AskedPart, IfRange
from cloud.api.chalicelib.work import Current
from cloud.pbx import call_recordings, calls

router = new_router()


@router.get(
    "/calls/<record_id>/recordings/<call_recording_id>/audio",
    **operation(
        "getCallRecordingAudio",
        "reports",
        "The sound of a recorded call, whole or in parts (RFC 9110 §14)",
        "tenant_admin",
    ),
)
def get_audio(
    work: Current, record_id: PathId, call_recording_id: PathId, asked: AskedPart = None, if_range: IfRange = None
) -> Response[str]:
    call = calls.get_call(work.session, record_id)
    row = call_recordings.get_recording(work.session, call, call_recording_id, work.services.clock.now())
    return recorded_sound(work, call_recordings.of_call(call), row, asked, if_range)


@router.post(
    "/calls/<record_id>/recordings/<call_recording_id>/listening",
    **operation(
        "beginListeningToCallRecording", "reports", "Let a player ask for parts of a recorded call", "tenant_admin", 201
    ),
)
def begin_listening(work: Current, record_id: PathId, call_recording_id: PathId) -> Response[Listening]:
    call = calls.get_call(work.session, record_id)
    row = call_recordings.get_recording(work.session, call, call_recording_id, work.services.clock.now())
    return begun_listening(work, HeardSound("call", (str(call.id), str(row.id))), recorded_peaks(work, row))


@router.delete(
    "/calls/<record_id>/recordings/<call_recording_id>",
    **operation(
        "deleteCallRecording", "reports", "Delete a recording for good, here and at its site", "tenant_admin", 204
    ),
)
def delete_recording(work: Current, record_id: PathId, call_recording_id: PathId) -> None:
    call = calls.get_call(work.session, record_id)
    row = call_recordings.get_recording(work.session, call, call_recording_id, work.services.clock.now())
    files = work.services.files
    call_recordings.delete_recording(
        work.desk, files.store if files is not None else None, call_recordings.of_call(call), row
    )
