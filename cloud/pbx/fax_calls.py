"""Faxes in the records of their calls: how many pages came, and from which machine.

A fax may be told of before its call's record or after it, so each looks for the other.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud.models import CallRecord, EventRow, VoicemailMessage
from cloud.pbx.storable import storable_text
from contract.sync.events import FaxFailed
from contract.sync.mailbox_events import FaxSheets

_BEFORE: Final = timedelta(hours=12)
"""A fax is received soon after its call began, but for what waited for somebody to send it on."""
_AFTER: Final = timedelta(minutes=5)


def fax_columns(fax: FaxSheets) -> dict[str, Any]:
    """What of a message tells that it is a fax."""
    return {
        "fax_pages": fax.pages,
        "fax_station": storable_text(fax.station),
        "fax_complete": fax.complete,
        "fax_result": storable_text(fax.result),
        "sip_call_id": storable_text(fax.sip_call_id) or None,
    }


def fax_reasons(session: Session, site_id: UUID, sip_call_id: str) -> list[str]:
    """What the record of a call says of the fax that it was, or was to be; empty: none, or nobody told yet."""
    if not sip_call_id:
        return []
    rows = session.scalars(
        select(VoicemailMessage)
        .where(
            VoicemailMessage.site_id == site_id,
            func.md5(VoicemailMessage.sip_call_id) == func.md5(sip_call_id),
            VoicemailMessage.sip_call_id == sip_call_id,
        )
        .limit(1)
    )
    if found := [_said(row) for row in rows]:
        return found
    call_of_event = EventRow.payload[("what", "sip_call_id")].astext
    failures = session.scalars(
        select(EventRow.payload)
        .where(
            EventRow.site_id == site_id,
            EventRow.kind == "fax_failed",
            func.md5(call_of_event) == func.md5(sip_call_id),
            call_of_event == sip_call_id,
        )
        .limit(1)
    )
    return [_failure(FaxFailed.model_validate(payload["what"], strict=False)) for payload in failures]


def note_in_record(session: Session, row: VoicemailMessage) -> None:
    """Say of a fax in the record of its call, where that is here already."""
    if row.fax_pages is not None and row.sip_call_id is not None:
        _note(session, row.site_id, row.sip_call_id, row.received_at, _said(row))


def note_failure_in_record(session: Session, row: EventRow, what: FaxFailed) -> None:
    """Say that no page of a fax came in the record of its call, where that is here already."""
    _note(session, row.site_id, what.sip_call_id, row.at, _failure(what))


def _note(session: Session, site_id: UUID, sip_call_id: str, at: datetime, said: str) -> None:
    call = session.scalar(
        select(CallRecord)
        .where(
            CallRecord.site_id == site_id,
            CallRecord.started_at >= at - _BEFORE,
            CallRecord.started_at <= at + _AFTER,
            CallRecord.sip_call_id == sip_call_id,
        )
        .limit(1)
        .with_for_update()
    )
    # What is kept and not yet taken in was found already when the record came.
    if call is not None and said not in call.reasons:
        call.reasons = [*call.reasons, said]
        session.flush()


def _failure(what: FaxFailed) -> str:
    sender = f" from {what.station}" if what.station else ""
    return storable_text(f"fax, no page came{sender}" + (f": {what.result}" if what.result else ""))


def _said(row: VoicemailMessage) -> str:
    pages = f"{row.fax_pages} page" + ("" if row.fax_pages == 1 else "s")
    sender = f" from {row.fax_station}" if row.fax_station else ""
    return f"fax, {pages}{sender}" + ("" if row.fax_complete else ", incomplete")
