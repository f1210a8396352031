"""How well calls were heard: kept as edges tell it, found by the call's record, and said in a word."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import CallQuality, CallRecord, EventRow
from cloud.tokens import Tokens
from contract.sync import quality

Word = Literal["good", "fair", "poor"]

_GOOD_MOS: Final = 4.03
"""Users are satisfied from R = 80 on (ITU-T G.107, annex B)."""
_FAIR_MOS: Final = 3.6
"""Some are not from here on down to R = 70; below, many are not."""


def word_of(mos: float | None) -> Word | None:
    """What an estimated opinion (MOS) means; None: there is none."""
    if mos is None:
        return None
    return "good" if mos >= _GOOD_MOS else "fair" if mos >= _FAIR_MOS else "poor"


def take_quality(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: quality.CallQuality) -> None:
    """Keep a report of one side of a call, unless there are as many of that call as are kept."""
    of_call = _of_call(row.site_id, what.sip_call_id)
    if session.scalars(select(func.count()).select_from(CallQuality).where(of_call)).one() >= quality.MAX_OF_CALL:
        return
    values = what.model_dump(exclude={"kind"})
    values["user_id"] = UUID(what.user_id) if what.user_id else None
    session.execute(
        insert(CallQuality).values(
            id=tokens.id(), tenant_id=row.tenant_id, site_id=row.site_id, edge_id=row.edge_id, at=at, **values
        )
    )


def quality_of(session: Session, call: CallRecord) -> list[CallQuality]:
    """What was told of a call, in the order in which it was told."""
    found = select(CallQuality).where(_of_call(call.site_id, call.sip_call_id)).order_by(CallQuality.at, CallQuality.id)
    return list(session.scalars(found))


def _of_call(site_id: UUID, sip_call_id: str) -> ColumnElement[bool]:
    hashed = func.md5(CallQuality.sip_call_id) == func.md5(sip_call_id)
    return and_(CallQuality.site_id == site_id, hashed, CallQuality.sip_call_id == sip_call_id)
