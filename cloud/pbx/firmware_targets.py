"""Which firmware each phone is to have: the newest rollout that fits its model and has a ring for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Device, DeviceGroupMember, Firmware, FirmwareProgress, FirmwareRollout
from cloud.pbx.firmware_rows import files_of, sizes_of
from contract import snapshot as contract

Members = Mapping[UUID, Sequence[UUID]]
"""The groups of each device that is in any."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Some phones that are told at the same time.

    Args:
        name: for people.
        starts_at: no phone is told before.
        site_ids: every phone of these sites.
        group_ids: and of these device groups; neither sites nor groups: every phone.
    """

    name: str
    starts_at: datetime
    site_ids: frozenset[UUID]
    group_ids: frozenset[UUID]

    def has(self, device: Device, groups: Iterable[UUID]) -> bool:
        """Whether a device is in it."""
        if not self.site_ids and not self.group_ids:
            return True
        return device.site_id in self.site_ids or not self.group_ids.isdisjoint(groups)


@dataclass(frozen=True, slots=True)
class Target:
    """What one phone is to have, and since when it may be told."""

    rollout: FirmwareRollout
    firmware: Firmware
    ring: int
    starts_at: datetime


def rings_of(rollout: FirmwareRollout) -> list[Ring]:
    """The rings of a rollout as they are kept."""
    return [
        Ring(
            one["name"],
            datetime.fromisoformat(one["starts_at"]),
            frozenset(map(UUID, one["site_ids"])),
            frozenset(map(UUID, one["group_ids"])),
        )
        for one in rollout.rings
    ]


def targets_of(session: Session, tenant_id: UUID, devices: Sequence[Device], members: Members) -> dict[UUID, Target]:
    """What each of a tenant's devices is to have; those that keep what they have are left out.

    A rollout that is paused counts for the phones that were told of it already, and for no others.
    """
    rollouts = session.execute(
        select(FirmwareRollout, Firmware)
        .join(Firmware, Firmware.id == FirmwareRollout.firmware_id)
        .where(FirmwareRollout.tenant_id == tenant_id, FirmwareRollout.state != "ended")
        .order_by(FirmwareRollout.id.desc())
    ).all()
    if not rollouts:
        return {}
    told = _told(session, {firmware.id for rollout, firmware in rollouts if rollout.state == "paused"})
    rings = {rollout.id: rings_of(rollout) for rollout, _ in rollouts}
    found: dict[UUID, Target] = {}
    for device in devices:
        vendor, _, model = device.model.partition("/")
        for rollout, firmware in rollouts:
            if firmware.vendor != vendor or model not in firmware.models:
                continue
            if rollout.state == "paused" and (device.id, firmware.id) not in told:
                continue
            groups = members.get(device.id, ())
            number = next((at for at, ring in enumerate(rings[rollout.id]) if ring.has(device, groups)), None)
            if number is not None:
                found[device.id] = Target(rollout, firmware, number, rings[rollout.id][number].starts_at)
                break
    return found


def tenant_targets(session: Session, tenant_id: UUID, models: Iterable[str]) -> dict[Device, Target]:
    """What each device of these models (`<vendor>/<model>`) at any site of a tenant is to have."""
    devices = session.scalars(
        select(Device).where(Device.tenant_id == tenant_id, Device.model.in_(set(models))).order_by(Device.id)
    ).all()
    members: dict[UUID, list[UUID]] = {}
    query = select(DeviceGroupMember).where(DeviceGroupMember.device_id.in_([one.id for one in devices]))
    for member in session.scalars(query):
        members.setdefault(member.device_id, []).append(member.group_id)
    targets = targets_of(session, tenant_id, devices, members)
    return {one: targets[one.id] for one in devices if one.id in targets}


def in_snapshot(
    session: Session, tenant_id: UUID, targets: Iterable[Target]
) -> tuple[tuple[contract.Firmware, ...], tuple[contract.Blob, ...]]:
    """The firmware that phones of a site are to have, and the files of it, as the snapshot has them."""
    wanted = {target.firmware.id: target.firmware for target in targets}
    files = files_of(session, wanted)
    sizes = sizes_of(session, tenant_id, {file.digest for each in files.values() for file in each})
    firmware = [
        contract.Firmware(
            firmware_id=str(row.id),
            vendor=row.vendor,
            models=tuple(row.models),
            version=row.firmware_version,
            files=tuple(contract.FirmwareFile(name=file.name, digest=file.digest) for file in files[row.id]),
        )
        for row in wanted.values()
    ]
    blobs = [contract.Blob(digest=digest, size_bytes=size) for digest, size in sizes.items()]
    return (
        tuple(sorted(firmware, key=lambda one: one.firmware_id)),
        tuple(sorted(blobs, key=lambda one: one.digest)),
    )


def _told(session: Session, firmware_ids: set[UUID]) -> set[tuple[UUID, UUID]]:
    """Device and firmware of every phone that was told of one of these."""
    if not firmware_ids:
        return set()
    query = select(FirmwareProgress.device_id, FirmwareProgress.firmware_id).where(
        FirmwareProgress.firmware_id.in_(firmware_ids)
    )
    return {(row.device_id, row.firmware_id) for row in session.execute(query)}
