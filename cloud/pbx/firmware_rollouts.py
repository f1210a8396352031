"""Rollouts of firmware: ring after ring, paused, taken up again, ended, rolled back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceGroup, Firmware, FirmwareRollout, Site
from cloud.pbx.checks import Problems, check_version, get_for_change, get_or_refuse, invalid, unknown
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict
from cloud.pbx.firmware_targets import tenant_targets
from cloud.pbx.pages import Page, PageRequest, oldest_first

MAX_RINGS: Final = 20
MAX_IN_RING: Final = 500
MAX_GOING: Final = 200
"""Rollouts of one tenant that have not ended."""


@dataclass(frozen=True, slots=True)
class NewRing:
    """A ring to be; neither sites nor groups: every phone."""

    name: str
    starts_at: datetime
    site_ids: Sequence[UUID]
    group_ids: Sequence[UUID]


def list_rollouts(
    session: Session, request: PageRequest, tenant_id: UUID | None = None, firmware_id: UUID | None = None
) -> Page[FirmwareRollout]:
    """Rollouts, oldest first."""
    query = select(FirmwareRollout)
    if tenant_id is not None:
        query = query.where(FirmwareRollout.tenant_id == tenant_id)
    if firmware_id is not None:
        query = query.where(FirmwareRollout.firmware_id == firmware_id)
    return oldest_first(session, query, FirmwareRollout.id, request)


def get_rollout(session: Session, rollout_id: UUID) -> FirmwareRollout:
    """One rollout."""
    return get_or_refuse(session, FirmwareRollout, rollout_id)


def start_rollout(desk: Desk, firmware_id: UUID, rings: Sequence[NewRing]) -> FirmwareRollout:
    """Have phones told of a firmware, ring after ring; where it fits a phone it goes before every older rollout.

    Raises:
        Invalid: no such firmware, or naming every problem of the rings.
        Conflict: too many rollouts go on.
    """
    firmware = desk.session.get(Firmware, firmware_id)
    if firmware is None:
        raise invalid("firmware_id", unknown("firmware"))
    kept = _checked(desk.session, firmware.tenant_id, rings)
    going = select(FirmwareRollout.id).where(
        FirmwareRollout.tenant_id == firmware.tenant_id, FirmwareRollout.state != "ended"
    )
    if len(desk.session.scalars(going).all()) >= MAX_GOING:
        raise Conflict(f"{MAX_GOING} rollouts go on; end those that newer ones have replaced")
    row = FirmwareRollout(
        id=desk.tokens.id(), tenant_id=firmware.tenant_id, firmware_id=firmware.id, state="running", rings=kept
    )
    desk.session.add(row)
    desk.flush()
    _record(desk, row, "started", {"firmware_version": [None, firmware.firmware_version], "rings": [None, kept]})
    _publish(desk, firmware, f"Firmware {firmware.vendor} {firmware.firmware_version} is rolled out")
    return row


def change_rings(desk: Desk, rollout_id: UUID, rings: Sequence[NewRing], expected: int | None) -> FirmwareRollout:
    """Have other rings from now on; what phones were told stays told.

    Raises:
        Conflict: the rollout has ended.
        Invalid: naming every problem.
    """
    row, firmware = _for_change(desk, rollout_id, expected)
    before = row.rings
    row.rings = _checked(desk.session, row.tenant_id, rings)
    if row.rings != before:
        desk.flush()
        _record(desk, row, "changed", {"rings": [before, row.rings]})
        _publish(desk, firmware, f"The rings of firmware {firmware.vendor} {firmware.firmware_version} were changed")
    return row


def set_state(desk: Desk, rollout_id: UUID, state: str, expected: int | None) -> FirmwareRollout:
    """Pause a rollout (`paused`), take it up again (`running`) or end it (`ended`).

    Paused: phones that were told go on, no other is told. Ended: phones keep what they run, unless an older rollout
    that has not ended fits them, which then counts again.

    Raises:
        Conflict: it has ended already.
    """
    row, firmware = _for_change(desk, rollout_id, expected)
    if row.state != state:
        before, row.state = row.state, state
        desk.flush()
        _record(desk, row, state, {"state": [before, state]})
        _publish(desk, firmware, f"The rollout of firmware {firmware.vendor} {firmware.firmware_version} is {state}")
    return row


def roll_back(desk: Desk, rollout_id: UUID, expected: int | None) -> FirmwareRollout:
    """End a rollout so that its phones go back to what the rollout before it says; that one is returned.

    Raises:
        Conflict: it has ended already, or no older rollout says what its phones are to go back to.
    """
    row, firmware = _for_change(desk, rollout_id, expected)
    models = [f"{firmware.vendor}/{model}" for model in firmware.models]
    mine = {
        one.id
        for one, target in tenant_targets(desk.session, row.tenant_id, models).items()
        if target.rollout.id == row.id
    }
    before, row.state = row.state, "ended"
    desk.flush()
    after = tenant_targets(desk.session, row.tenant_id, models)
    back = [target.rollout for one, target in after.items() if one.id in mine]
    older = back if mine else _older(desk.session, row, firmware)
    if not older:
        raise Conflict(
            "No earlier rollout says what its phones are to go back to; roll out the version that they are to have"
        )
    _record(desk, row, "rolled_back", {"state": [before, "ended"]})
    _publish(desk, firmware, f"Firmware {firmware.vendor} {firmware.firmware_version} was rolled back")
    return older[0]


def _older(session: Session, row: FirmwareRollout, firmware: Firmware) -> list[FirmwareRollout]:
    """The rollouts before this one that fit one of its models and have not ended."""
    query = (
        select(FirmwareRollout, Firmware)
        .join(Firmware, Firmware.id == FirmwareRollout.firmware_id)
        .where(
            FirmwareRollout.tenant_id == row.tenant_id,
            FirmwareRollout.state != "ended",
            FirmwareRollout.id < row.id,
            Firmware.vendor == firmware.vendor,
        )
        .order_by(FirmwareRollout.id.desc())
    )
    return [rollout for rollout, other in session.execute(query) if set(other.models) & set(firmware.models)]


def _for_change(desk: Desk, rollout_id: UUID, expected: int | None) -> tuple[FirmwareRollout, Firmware]:
    row = get_for_change(desk.session, FirmwareRollout, rollout_id)
    check_version(row, expected)
    if row.state == "ended":
        raise Conflict("This rollout has ended; start another one")
    return row, desk.session.get_one(Firmware, row.firmware_id)


def _checked(session: Session, tenant_id: UUID, rings: Sequence[NewRing]) -> list[dict[str, Any]]:
    problems = Problems()
    if not 0 < len(rings) <= MAX_RINGS:
        problems.add("rings", f"A rollout has 1 to {MAX_RINGS} rings")
    sites = set(session.scalars(select(Site.id).where(Site.tenant_id == tenant_id)))
    groups = set(session.scalars(select(DeviceGroup.id).where(DeviceGroup.tenant_id == tenant_id)))
    earliest: datetime | None = None
    for place, ring in enumerate(rings):
        where = f"rings.{place}"
        if ring.starts_at.tzinfo is None:
            problems.add(f"{where}.starts_at", "Say the time zone as well, such as 2030-01-31T22:00:00Z")
        elif earliest is not None and ring.starts_at < earliest:
            problems.add(f"{where}.starts_at", "A ring does not start before the one that stands above it")
        else:
            earliest = ring.starts_at
        for name, ids, known in (("site_ids", ring.site_ids, sites), ("group_ids", ring.group_ids, groups)):
            if len(ids) > MAX_IN_RING:
                problems.add(f"{where}.{name}", f"At most {MAX_IN_RING} in one ring")
            for number, one in enumerate(ids[:MAX_IN_RING]):
                if one not in known:
                    problems.add(f"{where}.{name}.{number}", unknown("site" if name == "site_ids" else "device group"))
        if not ring.site_ids and not ring.group_ids and place < len(rings) - 1:
            problems.add(where, "Without sites and groups a ring has every phone, so none is left for those below it")
    problems.check()
    return [
        {
            "name": ring.name,
            "starts_at": ring.starts_at.isoformat(),
            "site_ids": sorted(str(one) for one in set(ring.site_ids)),
            "group_ids": sorted(str(one) for one in set(ring.group_ids)),
        }
        for ring in rings
    ]


def _record(desk: Desk, row: FirmwareRollout, what: str, changes: Mapping[str, list[Any]]) -> None:
    desk.record(f"firmware_rollout.{what}", "firmware_rollout", row.id, changes, row.tenant_id)


def _publish(desk: Desk, firmware: Firmware, cause: str) -> None:
    """Publish every site that has a phone of its models."""
    models = [f"{firmware.vendor}/{model}" for model in firmware.models]
    query = select(Device.site_id).where(Device.tenant_id == firmware.tenant_id, Device.model.in_(models)).distinct()
    for site_id in desk.session.scalars(query):
        desk.publish(site_id, cause)
