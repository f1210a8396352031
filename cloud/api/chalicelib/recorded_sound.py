"""The sound of a recording as an answer, whatever was recorded; each listening is written into the audit."""

import logging

from aws_lambda_powertools.event_handler import Response

from cloud.api.chalicelib.begun_listening import DRAWN_BYTES, drawn
from cloud.api.chalicelib.services import Services
from cloud.api.chalicelib.sound_parts import sound_answer
from cloud.api.chalicelib.work import Work
from cloud.models import CallRecording
from cloud.objects import ObjectMissing, ObjectStore
from cloud.pbx import call_recordings
from cloud.pbx.errors import NotFound, PbxError
from cloud.pbx.sealed_pieces import PieceUnreadable
from cloud.pbx.secrets import SecretUnreadable

log = logging.getLogger(__name__)


class CallRecordingNotThere(NotFound):
    """The sound of this recording is not in the cloud: it stays at its site, or has not come yet."""


class CallRecordingUnreadable(PbxError):
    """The sound of this recording cannot be opened: it was changed, or its key is another one."""

    status = 500
    problem = "recording-unreadable"


def recorded_sound(
    work: Work, of: call_recordings.Heard, row: CallRecording, asked: str | None, if_range: str | None
) -> Response[str]:
    """The part of a recording that is asked for.

    Args:
        of: what it is of.
        row: which.
        asked: the header Range; None: there was none.
        if_range: the header If-Range.

    Raises:
        CallRecordingNotThere, CallRecordingUnreadable, RangeNeeded: it cannot be given.
    """
    services = work.services
    if row.stored_at is None or services.files is None:
        raise CallRecordingNotThere
    store = services.files.store

    def read(first: int, last: int) -> bytes:
        data = _opened(services, store, row, first, last)
        call_recordings.note_heard(work.desk, of, row)
        return data

    return sound_answer(row.size_bytes, row.digest, asked, if_range, read)


def recorded_peaks(work: Work, row: CallRecording) -> bytes | None:
    """How a recording is drawn; None: that is not known.

    Raises:
        CallRecordingNotThere, CallRecordingUnreadable: it cannot be heard.
    """
    services = work.services
    if row.stored_at is None or services.files is None:
        raise CallRecordingNotThere
    if row.peaks is not None or row.size_bytes > DRAWN_BYTES:
        return row.peaks
    whole = _opened(services, services.files.store, row, 0, row.size_bytes - 1)
    return drawn(row.size_bytes, (whole,))


def _opened(services: Services, store: ObjectStore, row: CallRecording, first: int, last: int) -> bytes:
    try:
        return call_recordings.read_recording(store, services.keys, row, first, last)
    except ObjectMissing:
        raise CallRecordingNotThere from None
    except (PieceUnreadable, SecretUnreadable) as error:
        log.error("call_recording_unreadable", extra={"recording": str(row.id), "problem": str(error)})  # noqa: TRY400
        raise CallRecordingUnreadable from None
