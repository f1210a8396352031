"""What users set for their own calls: site state, which the portal and the phones change alike."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from cloud.models import User
from cloud.pbx.checks import Problems
from cloud.pbx.desk import Desk
from cloud.pbx.state import site_records, write_state
from cloud.pbx.users import get_user
from contract.dialplan.callers import plain
from contract.dialplan.site_state import (
    DO_NOT_DISTURB,
    FIND_ME,
    FORWARDS,
    NO_ANONYMOUS,
    NO_INTERCOM,
    NO_SECOND_CALL,
    RING_SECONDS,
    SPEED_DIAL,
    blocked_kind,
    site_state,
)
from contract.snapshot import FindMe, Forwarding, SpeedDial
from contract.snapshot import User as ContractUser

_SWITCHES: Final = {
    "do_not_disturb": (DO_NOT_DISTURB, True),
    "call_waiting": (NO_SECOND_CALL, False),
    "reject_anonymous": (NO_ANONYMOUS, True),
    "intercom": (NO_INTERCOM, False),
}
"""Kinds of records that are on or off, with the field of `CallHandling`, and what its True makes of the record."""


class CallHandling(BaseModel):
    """Where a user's calls go, whose calls he wants, and what he calls by short numbers.

    `blocked` has numbers as they are compared: without plus and leading zeros.
    """

    model_config = ConfigDict(frozen=True)

    do_not_disturb: bool
    forwarding: Forwarding
    call_waiting: bool = True
    reject_anonymous: bool = False
    intercom: bool = True
    blocked: tuple[str, ...] = ()
    speed_dials: tuple[SpeedDial, ...] = ()


def get_handling(session: Session, user_id: UUID, only: UUID | None = None) -> CallHandling:
    """What counts for a user now, as far as the cloud knows; whoever may see `only` one finds no other."""
    return _handling(session, get_user(session, user_id, only))


def change_handling(desk: Desk, user_id: UUID, changes: Mapping[str, Any], only: UUID | None = None) -> CallHandling:
    """Change parts of it: at the edge at once where it is online, else as soon as it is.

    Args:
        changes: fields of `CallHandling` and of `Forwarding`; None switches off, or back to the default; a
            list takes the place of the one that was there.
        only: whoever may change one user only.

    Raises:
        Invalid: a user is forwarded to himself, nobody can be called so, or a short number stands there twice.
    """
    user = get_user(desk.session, user_id, only)
    own = {user.username, user.extension, *user.aliases}
    problems = Problems()
    for field in FORWARDS.values():
        if changes.get(field) in own - {None}:
            problems.add(field, "This is the user's own number")
    for place, one in enumerate(changes.get("find_me") or ()):
        if one.destination in own:
            problems.add(f"find_me.{place}.destination", "This is the user's own number")
    for place, number in enumerate(changes.get("blocked") or ()):
        if blocked_kind(plain(number)) is None:
            problems.add(f"blocked.{place}", "Nobody calls by this number")
    slots = [one.slot for one in changes.get("speed_dials") or ()]
    for place, slot in enumerate(slots):
        if slot in slots[:place]:
            problems.add(f"speed_dials.{place}.slot", "This short number stands there already")
    problems.check()
    before = _handling(desk.session, user)
    now = desk.clock.now()
    for key, value in {**_records(changes), **_listed(before, changes)}.items():
        write_state(desk.session, user.site_id, f"{key}/{user.id}", value, now)
    desk.flush()
    after = _handling(desk.session, user)
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    told = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    if told:
        desk.record("user.call_handling_changed", "user", user.id, told, user.tenant_id)
    return after


def _records(changes: Mapping[str, Any]) -> dict[str, str | bool | int | None]:
    """The value of each site state record that changes, by its kind."""
    found: dict[str, str | bool | int | None] = {
        kind: changes[field] or None for kind, field in FORWARDS.items() if field in changes
    }
    for field, (kind, on) in _SWITCHES.items():
        if field in changes:
            found[kind] = bool(changes[field]) is on
    if "ring_seconds" in changes:
        found[RING_SECONDS] = changes["ring_seconds"]
    if "find_me" in changes:
        places: tuple[FindMe, ...] = changes["find_me"] or ()
        found[FIND_ME] = json.dumps([_written(one) for one in places]) if places else None
    return found


def _written(place: FindMe) -> dict[str, object]:
    """A place as older edges read it, too, as long as it asks for no key."""
    return place.model_dump(mode="json", exclude=None if place.confirm else {"confirm"})


def _listed(before: CallHandling, changes: Mapping[str, Any]) -> dict[str, str | bool | None]:
    """The same of what has a record for each entry: only those that differ are written, what is gone as removed."""
    found: dict[str, str | bool | None] = {}
    if "blocked" in changes:
        old, new = set(before.blocked), {plain(one) for one in changes["blocked"] or ()}
        found |= {kind: number in new or None for number in old ^ new if (kind := blocked_kind(number)) is not None}
    if "speed_dials" in changes:
        kept = {one.slot: one for one in before.speed_dials}
        wanted: dict[str, SpeedDial] = {one.slot: one for one in changes["speed_dials"] or ()}
        found |= {f"{SPEED_DIAL}/{slot}": None for slot in kept if slot not in wanted}
        found |= {
            f"{SPEED_DIAL}/{slot}": one.model_dump_json() for slot, one in wanted.items() if kept.get(slot) != one
        }
    return found


def _handling(session: Session, user: User) -> CallHandling:
    user_id = str(user.id)
    user_as = ContractUser(user_id=user_id, username=user.username, display_name=user.display_name)
    records = [one for one in site_records(session, user.site_id) if one.key.endswith(f"/{user_id}")]
    state = site_state(records, {user_id: user_as})
    dials = state.speed_dials.get(user_id, {})
    return CallHandling(
        do_not_disturb=user_id in state.do_not_disturb,
        forwarding=state.forwarding.get(user_id, user_as.forwarding),
        call_waiting=user_id not in state.no_second_call,
        reject_anonymous=user_id in state.no_anonymous,
        intercom=user_id not in state.no_intercom,
        blocked=tuple(sorted(state.blocked.get(user_id, ()))),
        speed_dials=tuple(dials[slot] for slot in sorted(dials, key=lambda slot: (len(slot), slot))),
    )
