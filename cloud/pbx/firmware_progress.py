"""How far phones are with their firmware: what edges tell, and what it makes of each rollout."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import Device, Edge, EdgeBlob, EventRow, Firmware, FirmwareProgress, FirmwareRollout
from cloud.pbx.firmware_rows import files_of
from cloud.pbx.firmware_targets import Target, tenant_targets
from cloud.pbx.phone_history import Kind, note
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens
from contract.sync.events import BlobChanged, PhoneFirmware

STATES: Final = ("later", "no_files", "waiting", "told", "fetched", "running", "failed")
"""`later`: its ring has not started; `no_files`: its edge does not have the files yet; `waiting`: for the edge to tell
it, within the site's hours; the others as its edge told."""


_HAPPENED: Final[Mapping[str, Kind]] = {
    "told": "firmware_told",
    "fetched": "firmware_fetched",
    "running": "firmware_running",
    "failed": "firmware_failed",
}


@dataclass(frozen=True, slots=True)
class PhoneProgress:
    """One phone of a rollout.

    Args:
        ring: its place among the rollout's rings, from 0.
        running_version: what it last said it runs; empty: not known.
        text: why it failed, or why its edge has no files.
    """

    device_id: UUID
    site_id: UUID
    mac: str
    name: str
    model: str
    ring: int
    state: str
    running_version: str
    text: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class RingProgress:
    """How many phones of a ring are how far, by state."""

    total: int
    counts: Mapping[str, int]


def take_firmware(session: Session, tokens: Tokens, row: EventRow, at: datetime, what: PhoneFirmware) -> None:
    """A phone is further with its firmware."""
    device = session.scalar(select(Device).where(Device.id == UUID(what.device_id), Device.tenant_id == row.tenant_id))
    firmware = session.scalar(
        select(Firmware).where(Firmware.id == UUID(what.firmware_id), Firmware.tenant_id == row.tenant_id)
    )
    if device is None or firmware is None:
        return  # one of them has been deleted meanwhile
    values = {"state": what.state, "running_version": what.version, "text": what.text, "changed_at": at}
    write = insert(FirmwareProgress).values(
        tenant_id=row.tenant_id, device_id=device.id, firmware_id=firmware.id, **values
    )
    session.execute(
        write.on_conflict_do_update(
            index_elements=["device_id", "firmware_id"], set_=values, where=FirmwareProgress.changed_at <= at
        )
    )
    wanted = {"wanted": firmware.firmware_version, "firmware": what.version, "text": what.text}
    note(session, tokens, device, at, _HAPPENED[what.state], wanted)
    if what.state in ("running", "failed"):
        told = {"device_id": str(device.id), "mac": device.mac, "site_id": str(device.site_id), "state": what.state}
        announce(session, tokens, row.tenant_id, "phone.firmware", at, {**told, **wanted})


def take_blob(session: Session, row: EventRow, at: datetime, what: BlobChanged) -> None:
    """An edge has a file, or could not fetch it."""
    values = {"state": what.state, "text": what.text, "changed_at": at}
    write = insert(EdgeBlob).values(tenant_id=row.tenant_id, edge_id=row.edge_id, digest=what.digest, **values)
    session.execute(
        write.on_conflict_do_update(index_elements=["edge_id", "digest"], set_=values, where=EdgeBlob.changed_at <= at)
    )


def phones_of(session: Session, rollout: FirmwareRollout, now: datetime) -> list[PhoneProgress]:
    """Every phone that a rollout says the firmware of, by ring; four statements, however many."""
    if rollout.state == "ended":
        return []
    firmware = session.get_one(Firmware, rollout.firmware_id)
    models = [f"{firmware.vendor}/{model}" for model in firmware.models]
    targets = {
        device: target
        for device, target in tenant_targets(session, rollout.tenant_id, models).items()
        if target.rollout.id == rollout.id
    }
    told = {
        row.device_id: row
        for row in session.scalars(select(FirmwareProgress).where(FirmwareProgress.firmware_id == firmware.id))
    }
    lacking = _lacking(session, rollout.tenant_id, firmware)
    found = [_phone(device, target, told.get(device.id), lacking, now) for device, target in targets.items()]
    return sorted(found, key=lambda one: (one.ring, one.mac))


def rings_progress(phones: Sequence[PhoneProgress], rings: int) -> list[RingProgress]:
    """The same, counted by ring."""
    counts = [Counter(one.state for one in phones if one.ring == ring) for ring in range(rings)]
    return [RingProgress(each.total(), {state: each[state] for state in STATES}) for each in counts]


def _phone(
    device: Device, target: Target, told: FirmwareProgress | None, lacking: Mapping[UUID, str], now: datetime
) -> PhoneProgress:
    text, changed_at, version = "", None, ""
    if told is not None:
        state, text, changed_at, version = told.state, told.text, told.changed_at, told.running_version
    elif target.starts_at > now:
        state = "later"
    elif device.site_id in lacking:
        state, text = "no_files", lacking[device.site_id]
    else:
        state = "waiting"
    return PhoneProgress(
        device_id=device.id,
        site_id=device.site_id,
        mac=device.mac,
        name=device.name,
        model=device.model,
        ring=target.ring,
        state=state,
        running_version=version,
        text=text,
        changed_at=changed_at,
    )


def _lacking(session: Session, tenant_id: UUID, firmware: Firmware) -> dict[UUID, str]:
    """Sites none of whose edges has every file, with the reason where one is known."""
    digests = {file.digest for file in files_of(session, [firmware.id])[firmware.id]}
    edges = session.execute(select(Edge.id, Edge.site_id).where(Edge.tenant_id == tenant_id)).all()
    here: dict[UUID, dict[str, EdgeBlob]] = {}
    for row in session.scalars(select(EdgeBlob).where(EdgeBlob.tenant_id == tenant_id, EdgeBlob.digest.in_(digests))):
        here.setdefault(row.edge_id, {})[row.digest] = row
    found: dict[UUID, str] = {}
    complete: set[UUID] = set()
    for edge in edges:
        rows = here.get(edge.id, {})
        if all(digest in rows and rows[digest].state == "fetched" for digest in digests):
            complete.add(edge.site_id)
        else:
            found.setdefault(edge.site_id, next((row.text for row in rows.values() if row.state == "failed"), ""))
    return {site_id: text for site_id, text in found.items() if site_id not in complete}
