"""From the inbox to rows: each event once, in the order in which its edge sent it, with the webhooks it causes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from psycopg.errors import ProgramLimitExceeded
from pydantic import ValidationError
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from cloud.models import Alarm, CallRecord, EventRow, Registration
from cloud.pbx.call_quality import take_quality
from cloud.pbx.call_recordings import take_recording
from cloud.pbx.edges import take_engine
from cloud.pbx.emergencies import take_emergency
from cloud.pbx.fax_calls import fax_reasons, note_failure_in_record
from cloud.pbx.firmware_progress import take_blob, take_firmware
from cloud.pbx.messages import take_message
from cloud.pbx.phone_events import (
    note_registration,
    registered_again,
    take_fetch,
    take_refusal,
    take_resync,
    take_unknown_phone,
    take_upload,
)
from cloud.pbx.queue_history import take_queue_call
from cloud.pbx.voicemail_mails import mail_message
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens
from contract.sync.call_recordings import CallRecorded
from contract.sync.events import (
    AlarmChanged,
    BlobChanged,
    CallEnded,
    EmergencyCalled,
    EngineTold,
    EventBody,
    FaxFailed,
    PhoneFetched,
    PhoneFirmware,
    PhoneRefused,
    PhoneResync,
    PhoneUploaded,
    RegistrationChanged,
    UnknownPhoneSeen,
)
from contract.sync.mailbox_events import MessageChanged
from contract.sync.quality import CallQuality
from contract.sync.queue_events import QueueCallEnded

BATCH = 200
"""How many events of an edge are taken in one transaction."""


@dataclass(frozen=True, slots=True)
class WaitingEdge:
    """An edge whose events wait in the inbox."""

    tenant_id: UUID
    edge_id: UUID


def waiting_edges(session: Session, how_many: int = 100) -> list[WaitingEdge]:
    """Edges of any tenants with events in the inbox, the longest waiting first."""
    rows = session.execute(text("select tenant_id, edge_id from waiting_events(:n)"), {"n": how_many})
    return [WaitingEdge(row.tenant_id, row.edge_id) for row in rows]


def ingest_events(session: Session, tokens: Tokens, edge_id: UUID, now: datetime, limit: int = BATCH) -> int:
    """Turn waiting events of one edge into rows; how many there were.

    An event that cannot be taken in is marked with its problem and stands in nobody's way.
    """
    waiting = (
        select(EventRow)
        .where(EventRow.edge_id == edge_id, EventRow.ingested_at.is_(None))
        .order_by(EventRow.received_at, EventRow.sequence)
        .limit(limit)
        .with_for_update()  # not skipping locked ones: another worker on this edge must come after, not beside
    )
    rows = session.execute(waiting).scalars().all()
    for row in rows:
        row.problem = _ingest(session, tokens, row)
        row.ingested_at = now
    session.flush()
    return len(rows)


def _ingest(session: Session, tokens: Tokens, row: EventRow) -> str | None:
    """Take in one event; the problem that prevented it, if any."""
    try:
        body = EventBody.model_validate(row.payload, strict=False)
        with session.begin_nested():
            match body.what:
                case RegistrationChanged():
                    _registration(session, tokens, row, body.at, body.what)
                case CallEnded():
                    _call(session, tokens, row, body.what)
                case AlarmChanged():
                    _alarm(session, tokens, row, body.at, body.what)
                case EmergencyCalled():
                    take_emergency(session, tokens, row, body.at, body.what)
                case UnknownPhoneSeen():
                    take_unknown_phone(session, tokens, row, body.at, body.what)
                case PhoneRefused():
                    take_refusal(session, tokens, row, body.at, body.what)
                case PhoneFetched():
                    take_fetch(session, tokens, row, body.at, body.what)
                case PhoneResync():
                    take_resync(session, tokens, row, body.at, body.what)
                case PhoneUploaded():
                    take_upload(session, tokens, row, body.at, body.what)
                case PhoneFirmware():
                    take_firmware(session, tokens, row, body.at, body.what)
                case BlobChanged():
                    take_blob(session, row, body.at, body.what)
                case MessageChanged():
                    left = take_message(session, tokens, row, body.at, body.what)
                    if left is not None:
                        mail_message(session, tokens, left)
                case QueueCallEnded():
                    take_queue_call(session, tokens, row, body.what)
                case EngineTold():
                    take_engine(session, row, body.what)
                case FaxFailed():
                    note_failure_in_record(session, row, body.what)
                case CallQuality():
                    take_quality(session, tokens, row, body.at, body.what)
                case CallRecorded():
                    take_recording(session, tokens, row, body.at, body.what)
                case _:
                    assert_never(body.what)
    except ValidationError as error:
        return f"not an event known here: {error.error_count()} problems"
    except (IntegrityError, DataError) as error:
        return f"the database refuses it: {type(error.orig).__name__}"
    except OperationalError as error:
        if not isinstance(error.orig, ProgramLimitExceeded):
            raise
        return "the database refuses it: a text is too long for an index"
    except ValueError as error:
        return f"an id in it is none of ours: {error}"
    return None


def _registration(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: RegistrationChanged) -> None:
    names = {
        "user_id": UUID(what.user_id),
        "line_id": UUID(what.line_id),
        "device_id": UUID(what.device_id) if what.device_id else None,
    }
    this = (
        Registration.edge_id == row.edge_id,
        Registration.line_id == names["line_id"],
        Registration.contact == what.contact,
    )
    told = _told(row, names, contact=what.contact, user_agent=what.user_agent, source=what.source)
    if what.state != "registered":
        gone = session.execute(delete(Registration).where(*this).returning(Registration.id)).scalar_one_or_none()
        if gone is not None:
            announce(session, tokens, row.tenant_id, "phone.unregistered", at, {**told, "reason": what.state})
            note_registration(session, tokens, row, at, what, "unregistered")
        return
    values: dict[str, Any] = {
        **names,
        "user_agent": what.user_agent,
        "source": what.source,
        "transport": what.transport,
        "expires_at": what.expires_at,
        "refreshed_at": at,
    }
    registered_again(session, tokens, row, at, names["device_id"], what)
    known = session.execute(update(Registration).where(*this).values(**values).returning(Registration.id)).all()
    if not known:
        session.execute(
            insert(Registration).values(
                id=tokens.id(),
                tenant_id=row.tenant_id,
                site_id=row.site_id,
                edge_id=row.edge_id,
                contact=what.contact,
                registered_at=at,
                **values,
            )
        )
        announce(session, tokens, row.tenant_id, "phone.registered", at, told)
        note_registration(session, tokens, row, at, what, "registered")


def _call(session: Session, tokens: Tokens, row: EventRow, what: CallEnded) -> None:
    values = what.model_dump(exclude={"kind"})
    values["reasons"] = [*what.reasons, *fax_reasons(session, row.site_id, what.sip_call_id)]
    for name in ("caller_user_id", "callee_user_id"):
        values[name] = UUID(values[name]) if values[name] else None
    new = session.execute(
        insert(CallRecord)
        .values(id=tokens.id(), tenant_id=row.tenant_id, site_id=row.site_id, edge_id=row.edge_id, **values)
        .on_conflict_do_nothing(index_elements=["site_id", "call_id"])
        .returning(CallRecord.id)
    ).scalar_one_or_none()
    if new is not None:
        told = what.model_dump(mode="json", exclude={"kind", "reasons", "sip_call_id"})
        announce(session, tokens, row.tenant_id, "call.ended", what.ended_at, _told(row, told))


def _alarm(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: AlarmChanged) -> None:
    this = (Alarm.edge_id == row.edge_id, Alarm.alarm == what.alarm, Alarm.cleared_at.is_(None))
    told = _told(row, {}, alarm=what.alarm, severity=what.severity, text=what.text)
    if not what.active:
        cleared = session.execute(update(Alarm).where(*this).values(cleared_at=at).returning(Alarm.id)).all()
        if cleared:
            announce(session, tokens, row.tenant_id, "alarm.cleared", at, told)
        return
    values = {"severity": what.severity, "text": what.text}
    known = session.execute(update(Alarm).where(*this).values(**values).returning(Alarm.id)).all()
    if not known:
        session.execute(
            insert(Alarm).values(
                id=tokens.id(),
                tenant_id=row.tenant_id,
                site_id=row.site_id,
                edge_id=row.edge_id,
                alarm=what.alarm,
                raised_at=at,
                **values,
            )
        )
        announce(session, tokens, row.tenant_id, "alarm.raised", at, told)


def _told(row: EventRow, names: dict[str, Any], **more: str) -> dict[str, Any]:
    """What a webhook says: where it happened, and to whom."""
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in names.items()}
    return {"site_id": str(row.site_id), "edge_id": str(row.edge_id), **plain, **more}
