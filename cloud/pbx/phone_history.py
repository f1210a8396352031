"""What happened to each phone, kept to the latest so many: what happens again at once is counted, not repeated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceHappening
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.pages import Page, PageRequest, newest_first
from cloud.tokens import Tokens

KEPT: Final = 200
"""How many happenings of one device are kept."""

Kind = Literal[
    "adopted",
    "came",
    "deferred",
    "asked",
    "fetched",
    "failed",
    "applied",
    "registered",
    "unregistered",
    "refused",
    "sent",
    "firmware_told",
    "firmware_fetched",
    "firmware_running",
    "firmware_failed",
]


def note(
    session: Session, tokens: Tokens, device: Device, at: datetime, kind: Kind, detail: Mapping[str, str | int] | None
) -> None:
    """Keep that something happened to a device; the oldest beyond `KEPT` are gone.

    Args:
        detail: what is told of it; empty values are left out.
    """
    told = {name: value for name, value in (detail or {}).items() if value not in ("", 0)}
    of_device = select(DeviceHappening).where(DeviceHappening.device_id == device.id)
    newest_is_first = of_device.order_by(DeviceHappening.at.desc(), DeviceHappening.id.desc())
    last = session.scalar(newest_is_first.limit(1))
    if last is not None and (last.kind, last.detail) == (kind, told):
        last.times += 1
        last.at = max(last.at, at)
        session.flush()
        return
    session.add(
        DeviceHappening(
            id=tokens.id(), tenant_id=device.tenant_id, device_id=device.id, kind=kind, detail=told, first_at=at, at=at
        )
    )
    session.flush()
    beyond = newest_is_first.with_only_columns(DeviceHappening.id).offset(KEPT)
    session.execute(delete(DeviceHappening).where(DeviceHappening.id.in_(beyond.scalar_subquery())))


def history_of(session: Session, device_id: UUID, request: PageRequest) -> Page[DeviceHappening]:
    """What happened to a device, the latest first.

    Raises:
        NotFound: there is no such device in this scope.
    """
    get_or_refuse(session, Device, device_id)
    query = select(DeviceHappening).where(DeviceHappening.device_id == device_id)
    return newest_first(session, query, DeviceHappening.at, DeviceHappening.id, request)
