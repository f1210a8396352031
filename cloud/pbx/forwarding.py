"""What users set for their own calls: site state, which the portal and the phones change alike."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from cloud.models import User
from cloud.pbx.checks import Problems
from cloud.pbx.desk import Desk
from cloud.pbx.state import site_records, write_state
from cloud.pbx.users import get_user
from contract.dialplan.site_state import DO_NOT_DISTURB, FIND_ME, FORWARDS, RING_SECONDS, site_state
from contract.snapshot import FindMe, Forwarding
from contract.snapshot import User as ContractUser


class CallHandling(BaseModel):
    """Where a user's calls go."""

    model_config = ConfigDict(frozen=True)

    do_not_disturb: bool
    forwarding: Forwarding


def get_handling(session: Session, user_id: UUID, only: UUID | None = None) -> CallHandling:
    """What counts for a user now, as far as the cloud knows; whoever may see `only` one finds no other."""
    return _handling(session, get_user(session, user_id, only))


def change_handling(desk: Desk, user_id: UUID, changes: Mapping[str, Any], only: UUID | None = None) -> CallHandling:
    """Change parts of it: at the edge at once where it is online, else as soon as it is.

    Args:
        changes: `do_not_disturb` and fields of `Forwarding`; None switches off, or back to the default.
        only: whoever may change one user only.

    Raises:
        Invalid: a user is forwarded to himself.
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
    problems.check()
    before = _handling(desk.session, user)
    now = desk.clock.now()
    for key, value in _records(changes).items():
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
    if DO_NOT_DISTURB in changes:
        found[DO_NOT_DISTURB] = bool(changes[DO_NOT_DISTURB])
    if "ring_seconds" in changes:
        found[RING_SECONDS] = changes["ring_seconds"]
    if "find_me" in changes:
        places: tuple[FindMe, ...] = changes["find_me"] or ()
        found[FIND_ME] = json.dumps([one.model_dump(mode="json") for one in places]) if places else None
    return found


def _handling(session: Session, user: User) -> CallHandling:
    user_id = str(user.id)
    plain = ContractUser(user_id=user_id, username=user.username, display_name=user.display_name)
    state = site_state(
        [one for one in site_records(session, user.site_id) if one.key.endswith(f"/{user_id}")], {user_id: plain}
    )
    return CallHandling(
        do_not_disturb=user_id in state.do_not_disturb,
        forwarding=state.forwarding.get(user_id, plain.forwarding),
    )
