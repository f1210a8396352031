"""From what edges tell about phones to rows: unknown ones, refusals, fetched files, uploads, orders to fetch again."""

from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceVisit, EventRow, PhoneRefusal, PhoneUpload, ResyncItem, UnknownPhone
from cloud.pbx.device_models import ANNOUNCED, matching_model
from cloud.pbx.device_plugins import tenant_catalogue
from cloud.pbx.phone_history import note
from cloud.pbx.publishing import request_publish
from cloud.tokens import Tokens
from contract.devices import Catalogue, load_catalogue
from contract.sync.events import (
    PhoneFetched,
    PhoneRefused,
    PhoneResync,
    PhoneUploaded,
    RegistrationChanged,
    UnknownPhoneSeen,
)


def take_unknown_phone(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: UnknownPhoneSeen) -> None:
    """A phone that the site does not know; one that was announced becomes known once it says what it is."""
    if what.mac:
        device = session.scalar(select(Device).where(Device.mac == what.mac, Device.site_id == row.site_id))
        if device is not None and device.model == ANNOUNCED:
            model = matching_model(tenant_catalogue(session, _shipped(), row.tenant_id), what.vendor, what.model)
            if model is not None:
                device.model = model.key
                session.flush()
                seen_as = {"model": model.label, "address": what.address, "switch_port": what.switch_port}
                note(session, tokens, device, at, "came", {**seen_as, "protocol": what.protocol})
                request_publish(session, tokens, row.site_id, f"The phone {what.mac}, which was announced, has come")
                _forget(session, row, what.mac)
                return
        elif device is not None:
            return  # it became known meanwhile; one that belongs to another site is a stranger at this one
    seen = what.model_dump(exclude={"kind"})
    write = insert(UnknownPhone).values(
        id=tokens.id(),
        tenant_id=row.tenant_id,
        site_id=row.site_id,
        edge_id=row.edge_id,
        identity=what.mac or what.address,
        first_seen_at=at,
        last_seen_at=at,
        times_seen=1,
        **seen,
    )
    # A request by TFTP tells less than one by HTTP: what is known already is kept.
    better = {name: value for name, value in seen.items() if value not in ("", {}, None)}
    changed = {**better, "edge_id": row.edge_id, "last_seen_at": at, "times_seen": UnknownPhone.times_seen + 1}
    session.execute(write.on_conflict_do_update(index_elements=["site_id", "identity"], set_=changed))


def take_refusal(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: PhoneRefused) -> None:
    """Something that a phone was not given."""
    seen = what.model_dump(exclude={"kind", "reason"})
    seen["device_id"] = UUID(what.device_id) if what.device_id else None
    write = insert(PhoneRefusal).values(
        id=tokens.id(),
        tenant_id=row.tenant_id,
        site_id=row.site_id,
        edge_id=row.edge_id,
        reason=what.reason,
        identity=what.mac or what.address,
        first_seen_at=at,
        last_seen_at=at,
        times_seen=1,
        **seen,
    )
    changed = {**seen, "edge_id": row.edge_id, "last_seen_at": at, "times_seen": PhoneRefusal.times_seen + 1}
    session.execute(write.on_conflict_do_update(index_elements=["site_id", "reason", "identity"], set_=changed))
    device = _device(session, row, what.device_id) if what.device_id else None
    if device is not None:
        detail = {"reason": what.reason, "address": what.address, "protocol": what.protocol}
        note(session, tokens, device, at, "refused", detail)


def take_fetch(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: PhoneFetched) -> None:
    """A device fetched its file."""
    device = _device(session, row, what.device_id)
    if device is None:
        return
    said = ("user_agent", "model", "firmware", "switch_port")
    told = {name: value for name, value in what.model_dump().items() if name in said}
    known = {name: value for name, value in told.items() if value}
    seen: dict[str, Any] = {
        "address": what.address,
        "protocol": what.protocol,
        "proof": what.proof,
        "fetched_at": at,
        "fetched_version": what.version,
        **known,
    }
    _visit(session, row, device.id, seen)
    detail = what.model_dump(include={"address", "protocol", "proof", "firmware", "version", "switch_port"})
    note(session, tokens, device, at, "fetched", detail)


def take_resync(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: PhoneResync) -> None:
    """How far a device is with fetching its files again."""
    device = _device(session, row, what.device_id)
    if device is None:
        return
    seen = {"resync_state": what.state, "resync_text": what.text, "resync_at": at}
    _visit(session, row, device.id, seen)
    if what.state in ("deferred", "asked", "failed"):  # that it fetched and registered is told by those events
        note(session, tokens, device, at, what.state, {"text": what.text})
    if what.job_id:
        session.execute(
            update(ResyncItem)
            .where(ResyncItem.job_id == UUID(what.job_id), ResyncItem.device_id == device.id)
            .where(ResyncItem.state.notin_(("registered",)))
            .values(state=what.state, text=what.text, changed_at=at)
        )


def registered_again(
    session: Session, tokens: Tokens, row: EventRow, at: datetime, device_id: UUID | None, what: RegistrationChanged
) -> None:
    """A device registered: with that, one that had fetched its files is done."""
    if device_id is None:
        return
    done = {"resync_state": "registered", "resync_text": "", "resync_at": at}
    settled = session.scalars(
        update(DeviceVisit)
        .where(DeviceVisit.device_id == device_id, DeviceVisit.site_id == row.site_id)
        .where(DeviceVisit.resync_state == "fetched")
        .values(**done)
        .returning(DeviceVisit.device_id)
    ).all()
    if settled:
        note_registration(session, tokens, row, at, what, "applied")
    session.execute(
        update(ResyncItem)
        .where(ResyncItem.device_id == device_id, ResyncItem.state == "fetched")
        .values(state="registered", text="", changed_at=at)
    )


def note_registration(
    session: Session,
    tokens: Tokens,
    row: EventRow,
    at: datetime,
    what: RegistrationChanged,
    kind: Literal["applied", "registered", "unregistered"],
) -> None:
    """Keep that a line of a device came or went."""
    device = _device(session, row, what.device_id) if what.device_id else None
    if device is not None:
        reason = what.state if kind == "unregistered" else ""
        detail = {"address": what.source, "transport": what.transport, "reason": reason}
        note(session, tokens, device, at, kind, detail)


def take_upload(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: PhoneUploaded) -> None:
    """A file that a device sent; the newest of its name."""
    device = _device(session, row, what.device_id)
    if device is None:
        return
    seen = {"size": what.size, "content": what.content, "sent_at": at}
    write = insert(PhoneUpload).values(
        id=tokens.id(), tenant_id=row.tenant_id, site_id=row.site_id, device_id=device.id, name=what.name, **seen
    )
    session.execute(write.on_conflict_do_update(index_elements=["device_id", "name"], set_=seen))
    note(session, tokens, device, at, "sent", {"name": what.name})


def _visit(session: Session, row: EventRow, device_id: UUID, seen: dict[str, Any]) -> None:
    write = insert(DeviceVisit).values(device_id=device_id, tenant_id=row.tenant_id, site_id=row.site_id, **seen)
    session.execute(write.on_conflict_do_update(index_elements=["device_id"], set_=seen))


def _device(session: Session, row: EventRow, device_id: str) -> Device | None:
    """The device that an event names, if it is the site's; None: it was deleted meanwhile."""
    device = session.get(Device, UUID(device_id))
    return device if device is not None and device.site_id == row.site_id else None


def _forget(session: Session, row: EventRow, mac: str) -> None:
    session.execute(delete(UnknownPhone).where(UnknownPhone.site_id == row.site_id, UnknownPhone.mac == mac))


@cache
def _shipped() -> Catalogue:
    return load_catalogue()
