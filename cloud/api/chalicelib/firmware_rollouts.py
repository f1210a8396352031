"""/firmware-rollouts: which phones get a firmware, when, and how far they are."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.etag import expected_version
from cloud.api.chalicelib.fields import IfMatch, Label, Patch, PathId, Sent, Shown, Stored, TenantFilter, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.work import Current
from cloud.models import FirmwareRollout as Row
from cloud.pbx import firmware_progress, firmware_rollouts
from cloud.pbx.firmware_rollouts import MAX_IN_RING, MAX_RINGS, NewRing

router = new_router()

PhoneState = Literal["later", "no_files", "waiting", "told", "fetched", "running", "failed"]
Ids = Annotated[list[UUID], Field(max_length=MAX_IN_RING)]


class Ring(Shown):
    """Phones that are told at the same time; without sites and groups: every phone."""

    name: str
    starts_at: datetime
    site_ids: list[UUID]
    group_ids: list[UUID]


class FirmwareRollout(Stored):
    """Who gets a firmware, and when. Of two that fit a phone the newer one counts."""

    tenant_id: UUID
    firmware_id: UUID
    state: Literal["running", "paused", "ended"]
    rings: list[Ring]


class FirmwareRolloutPage(Shown):
    """Some of the rollouts."""

    items: list[FirmwareRollout]
    next: str | None = None


class NewRingOfRollout(Sent):
    """A ring to be; without sites and groups: every phone that no ring above it has."""

    name: Label = ""
    starts_at: datetime = Field(description="No phone of it is told before, nor outside the site's firmware_hours")
    site_ids: Ids = Field(default=[])
    group_ids: Ids = Field(default=[])


Rings = Annotated[list[NewRingOfRollout], Field(max_length=MAX_RINGS)]


class NewFirmwareRollout(Sent):
    """A rollout to be."""

    firmware_id: UUID
    rings: Rings


class FirmwareRolloutPatch(Patch):
    """What changes at a rollout."""

    state: Literal["running", "paused", "ended"] = absent()
    rings: Rings = absent()


class RingProgress(Shown):
    """How many phones of a ring are how far."""

    total: int
    counts: dict[PhoneState, int]


class RolloutPhone(Shown):
    """One phone of a rollout."""

    device_id: UUID
    site_id: UUID
    mac: str
    name: str
    model: str
    ring: int = Field(description="Its place among the rings, from 0")
    state: PhoneState = Field(
        description="`later`: its ring has not started; `no_files`: its edge has not fetched them yet; `waiting`: to be"
        " told within the site's hours; then `told`, `fetched`, `running` or `failed`"
    )
    running_version: str = Field(description="What it last said it runs; empty: not known")
    text: str = Field(description="Why it failed, or why its edge lacks the files")
    changed_at: datetime | None


class RolloutProgress(Shown):
    """How far a rollout is."""

    rings: list[RingProgress]
    phones: list[RolloutPhone] = Field(description="Failed ones first, at most 1000")
    more: bool = Field(description="Whether there are phones beyond those")


_SHOWN = 1000


@router.get(
    "/firmware-rollouts", **operation("listFirmwareRollouts", "firmware", "List rollouts of firmware", "tenant_admin")
)
def list_firmware_rollouts(
    work: Current,
    limit: Limit = 50,
    cursor: Cursor = None,
    tenant_id: TenantFilter = None,
    firmware_id: Annotated[UUID | None, Query(description="Only those of this firmware")] = None,
) -> FirmwareRolloutPage:
    page = firmware_rollouts.list_rollouts(work.session, page_request(limit, cursor), tenant_id, firmware_id)
    return FirmwareRolloutPage(items=[_shown(one) for one in page.items], next=encode_cursor(page.next))


@router.post(
    "/firmware-rollouts",
    **operation("startFirmwareRollout", "firmware", "Roll a firmware out, ring after ring", "tenant_admin", 201),
)
def start_firmware_rollout(work: Current, body: NewFirmwareRollout) -> FirmwareRollout:
    return _shown(firmware_rollouts.start_rollout(work.desk, body.firmware_id, _rings(body.rings)))


@router.get(
    "/firmware-rollouts/<rollout_id>",
    **operation("getFirmwareRollout", "firmware", "Get a rollout", "tenant_admin"),
)
def get_firmware_rollout(work: Current, rollout_id: PathId) -> FirmwareRollout:
    return _shown(firmware_rollouts.get_rollout(work.session, rollout_id))


@router.patch(
    "/firmware-rollouts/<rollout_id>",
    **operation(
        "changeFirmwareRollout", "firmware", "Pause, resume or end a rollout, or change its rings", "tenant_admin"
    ),
)
def change_firmware_rollout(
    work: Current, rollout_id: PathId, body: FirmwareRolloutPatch, if_match: IfMatch = None
) -> FirmwareRollout:
    expected = expected_version(if_match)
    row = firmware_rollouts.get_rollout(work.session, rollout_id)
    if "rings" in body.model_fields_set:
        row = firmware_rollouts.change_rings(work.desk, rollout_id, _rings(body.rings), expected)
        expected = None
    if "state" in body.model_fields_set:
        row = firmware_rollouts.set_state(work.desk, rollout_id, body.state, expected)
    return _shown(row)


@router.post(
    "/firmware-rollouts/<rollout_id>/roll-back",
    **operation("rollBackFirmware", "firmware", "End a rollout and go back to the one before it", "tenant_admin"),
)
def roll_back_firmware(work: Current, rollout_id: PathId, if_match: IfMatch = None) -> FirmwareRollout:
    """The rollout that counts again."""
    return _shown(firmware_rollouts.roll_back(work.desk, rollout_id, expected_version(if_match)))


@router.get(
    "/firmware-rollouts/<rollout_id>/progress",
    **operation("getFirmwareProgress", "firmware", "How far the phones of a rollout are", "tenant_admin"),
)
def get_firmware_progress(work: Current, rollout_id: PathId) -> RolloutProgress:
    row = firmware_rollouts.get_rollout(work.session, rollout_id)
    phones = firmware_progress.phones_of(work.session, row, work.services.clock.now())
    worst_first = sorted(phones, key=lambda one: one.state != "failed")
    return RolloutProgress(
        rings=[RingProgress.model_validate(one) for one in firmware_progress.rings_progress(phones, len(row.rings))],
        phones=[RolloutPhone.model_validate(one) for one in worst_first[:_SHOWN]],
        more=len(phones) > _SHOWN,
    )


def _rings(sent: list[NewRingOfRollout]) -> list[NewRing]:
    return [NewRing(one.name, one.starts_at, one.site_ids, one.group_ids) for one in sent]


def _shown(row: Row) -> FirmwareRollout:
    fields: dict[str, Any] = {name: getattr(row, name) for name in FirmwareRollout.model_fields}
    return FirmwareRollout.model_validate(fields)
