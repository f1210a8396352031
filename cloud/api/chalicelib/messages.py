"""/users/{id}/mailbox/messages: the messages of a mailbox, their sound, and what is done with them.

Users reach their own. Administrators reach those of their tenants' users; that they listened is in the audit.
"""

import base64
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.begun_listening import DRAWN_BYTES, Listening, begun_listening, drawn
from cloud.api.chalicelib.fields import Patch, PathId, Shown, absent
from cloud.api.chalicelib.listening_tickets import HeardSound
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.sound_parts import WHOLE_BYTES, AskedPart, IfRange, sound_answer
from cloud.api.chalicelib.work import Current, Work
from cloud.models import VoicemailMessage
from cloud.objects import ObjectMissing, read_part
from cloud.pbx import messages
from cloud.pbx.errors import NotFound, PbxError
from cloud.pbx.fax_documents import fax_pdf
from cloud.pbx.group_mailboxes import group_names
from cloud.pbx.listening import note_listening
from contract.fax_image import BadFax
from contract.sync.mailbox_events import MessageFolder

router = new_router()

DOCUMENT: Final = "application/pdf"


class RecordingNotThere(NotFound):
    """The recording of this message is not in the cloud: it stays at its site, or has not come yet."""


class FaxUnreadable(PbxError):
    """The fax cannot be made a document here; its file is as the engine wrote it, at the site and in mails."""

    status = 422
    problem = "fax-unreadable"


class FaxShown(Shown):
    """What is known of a fax."""

    pages: int
    station: str = Field(description="What the machine that sent says of itself; not proven")
    complete: bool = Field(description="false: it broke off, and pages may be missing")
    result: str = Field(description="What the engine says of the transfer")


class VoicemailMessageShown(Shown):
    """One message."""

    id: UUID
    mailbox: str | None = Field(description="Name of the group mailbox that it lies in; null: the user's own")
    folder: MessageFolder
    heard: bool
    urgent: bool
    caller_number: str = Field(description="As the call said; empty: withheld")
    caller_name: str
    caller_user_id: UUID | None = Field(description="Whose line it was, where the site knows")
    forwarded_by: str = Field(description="Who sent it on; empty: nobody did")
    received_at: datetime
    duration_seconds: float
    deleted_at: datetime | None = Field(description="Since when it lies among the deleted")
    has_comment: bool = Field(description="Whether a recorded comment goes before it")
    audio: Literal["here", "coming", "at_the_site"] = Field(description="Where its recording, or its pages, are")
    fax: FaxShown | None = Field(description="null: it is speech")


class FolderCount(Shown):
    """How much a folder holds."""

    messages: int
    unheard: int


class VoicemailMessagePage(Shown):
    """Some of the messages, the latest first, and how many there are."""

    items: list[VoicemailMessageShown]
    next: str | None = None
    counts: dict[MessageFolder, FolderCount]


class VoicemailMessagePatch(Patch):
    """What changes. The edge has it at once, or when it is back; a later change at the site counts more."""

    folder: MessageFolder = absent()
    heard: bool = absent()


@router.get(
    "/users/<user_id>/mailbox/messages",
    **operation("listVoicemailMessages", "users", "List the messages of a user's mailbox", "user"),
)
def list_messages(
    work: Current,
    user_id: PathId,
    limit: Limit = 50,
    cursor: Cursor = None,
    folder: Annotated[MessageFolder | None, Query(description="Only what lies there")] = None,
) -> VoicemailMessagePage:
    now, session = work.services.clock.now(), work.session
    page = messages.list_messages(session, user_id, page_request(limit, cursor), now, folder, work.only_user)
    counts = messages.count_messages(session, user_id, now, work.only_user)
    return VoicemailMessagePage(
        items=_shown(work, page.items),
        next=encode_cursor(page.next),
        counts={name: FolderCount.model_validate(count) for name, count in counts.items()},
    )


@router.get(
    "/users/<user_id>/mailbox/messages/<message_id>",
    **operation("getVoicemailMessage", "users", "Get a message of a user's mailbox", "user"),
)
def get_message(work: Current, user_id: PathId, message_id: PathId) -> VoicemailMessageShown:
    row = messages.get_message(work.session, user_id, message_id, work.services.clock.now(), work.only_user)
    return _shown(work, [row])[0]


@router.patch(
    "/users/<user_id>/mailbox/messages/<message_id>",
    **operation("changeVoicemailMessage", "users", "Mark a message heard, move it, or take it back", "user"),
)
def change_message(
    work: Current, user_id: PathId, message_id: PathId, body: VoicemailMessagePatch
) -> VoicemailMessageShown:
    row = messages.change_message(work.desk, user_id, message_id, **body.changes(), only=work.only_user)
    return _shown(work, [row])[0]


@router.delete(
    "/users/<user_id>/mailbox/messages/<message_id>",
    **operation("deleteVoicemailMessage", "users", "Put a message among the deleted", "user", 204),
)
def delete_message(work: Current, user_id: PathId, message_id: PathId) -> None:
    messages.change_message(work.desk, user_id, message_id, folder="deleted", only=work.only_user)


@router.get(
    "/users/<user_id>/mailbox/messages/<message_id>/audio",
    **operation("getVoicemailAudio", "users", "The sound of a message, whole or in parts (RFC 9110 §14)", "user"),
)
def get_audio(
    work: Current,
    user_id: PathId,
    message_id: PathId,
    part: Annotated[Literal["recording", "comment"], Query(description="Which of its recordings")] = "recording",
    asked: AskedPart = None,
    if_range: IfRange = None,
) -> Response[str]:
    services = work.services
    row = messages.get_message(work.session, user_id, message_id, services.clock.now(), work.only_user)
    digest = row.digest if part == "recording" else row.comment_digest
    if row.fax_pages is not None:
        raise RecordingNotThere("This message is a fax: it has a document and no sound")
    kept = messages.recordings_of(work.session, row).get(digest or "")
    if kept is None or kept.stored_at is None or services.files is None:
        raise RecordingNotThere
    store = services.files.store

    def read(first: int, last: int) -> bytes:
        try:
            data = read_part(store, row.tenant_id, kept.digest, first, last)
        except ObjectMissing:
            raise RecordingNotThere from None
        _note_listening(work, user_id, row)
        return data

    return sound_answer(kept.size_bytes, kept.digest, asked, if_range, read)


@router.post(
    "/users/<user_id>/mailbox/messages/<message_id>/listening",
    **operation("beginListeningToVoicemail", "users", "Let a player ask for parts of a message's sound", "user", 201),
)
def begin_listening(work: Current, user_id: PathId, message_id: PathId) -> Response[Listening]:
    services = work.services
    row = messages.get_message(work.session, user_id, message_id, services.clock.now(), work.only_user)
    kept = messages.recordings_of(work.session, row).get(row.digest)
    if row.fax_pages is not None or kept is None or kept.stored_at is None or services.files is None:
        raise RecordingNotThere
    peaks = None
    if kept.size_bytes <= DRAWN_BYTES:
        try:
            peaks = drawn(kept.size_bytes, services.files.store.read(row.tenant_id, kept.digest))
        except ObjectMissing:
            raise RecordingNotThere from None
    return begun_listening(work, HeardSound("message", (str(user_id), str(message_id))), peaks)


@router.get(
    "/users/<user_id>/mailbox/faxes/<fax_id>",
    **operation("getFax", "users", "The pages of a message that is a fax, as PDF", "user"),
)
def get_fax(work: Current, user_id: PathId, fax_id: PathId) -> Response[str]:
    services = work.services
    row = messages.get_message(work.session, user_id, fax_id, services.clock.now(), work.only_user)
    kept = messages.recordings_of(work.session, row).get(row.digest)
    if row.fax_pages is None or kept is None or kept.stored_at is None or services.files is None:
        raise RecordingNotThere("There is no document here: it is no fax, stays at its site, or has not come yet")
    if kept.size_bytes > WHOLE_BYTES:
        raise FaxUnreadable(f"The fax has {kept.size_bytes} bytes: it is in its mail only")
    try:
        document = fax_pdf(b"".join(services.files.store.read(row.tenant_id, kept.digest)))
    except ObjectMissing:
        raise RecordingNotThere from None
    except BadFax as error:
        raise FaxUnreadable(f"The fax cannot be shown: {error}") from None
    _note_listening(work, user_id, row)
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'inline; filename="fax-{row.id}.pdf"'}
    response = Response(200, DOCUMENT, base64.b64encode(document).decode(), headers=headers)
    response.base64_encoded = True  # the gateway makes bytes of it
    return response


def _note_listening(work: Work, user_id: UUID, row: VoicemailMessage) -> None:
    if work.claims.user_id != user_id:
        note_listening(work.desk, "voicemail.listened", ("user", user_id), ("message_id", row.id), row.tenant_id)


def _fax(row: VoicemailMessage) -> dict[str, object] | None:
    if row.fax_pages is None:
        return None
    return {name: getattr(row, f"fax_{name}") for name in FaxShown.model_fields}


def _shown(work: Current, rows: list[VoicemailMessage]) -> list[VoicemailMessageShown]:
    stored = messages.stored_digests(work.session, rows)
    leave = messages.sites_whose_recordings_leave(work.session, rows)

    def audio(row: VoicemailMessage) -> str:
        if row.digest in stored:
            return "here"
        return "coming" if row.site_id in leave else "at_the_site"

    groups = {
        site_id: group_names(work.session, site_id) for site_id in {row.site_id for row in rows if row.mailbox_id}
    }

    def mailbox(row: VoicemailMessage) -> str | None:
        return groups[row.site_id].get(row.mailbox_id, row.mailbox_id) if row.mailbox_id else None

    made = ("audio", "has_comment", "mailbox", "fax")
    fields = [name for name in VoicemailMessageShown.model_fields if name not in made]
    return [
        VoicemailMessageShown.model_validate(
            {name: getattr(row, name) for name in fields}
            | {"audio": audio(row), "has_comment": row.comment_digest is not None, "mailbox": mailbox(row)}
            | {"fax": _fax(row)}
        )
        for row in rows
    ]
