"""Whom a user is to be called back for, and calling back no more: site state, which codes at phones change as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import User
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound
from cloud.pbx.state import site_records, write_state
from cloud.pbx.users import get_user
from contract.dialplan.site_state import CALL_BACK


@dataclass(frozen=True, slots=True)
class CallBack:
    """One who was not reached.

    Args:
        user_id, username, display_name, extension: who.
        until: when it is given up.
    """

    user_id: UUID
    username: str
    display_name: str
    extension: str | None
    until: datetime


def list_call_backs(session: Session, user_id: UUID, now: datetime, only: UUID | None = None) -> Sequence[CallBack]:
    """Whom a user waits for, as far as the cloud knows, the soonest to be given up first.

    Args:
        session: of the database.
        user_id: who waits.
        now: in UTC.
        only: whoever may see one user only.

    Raises:
        NotFound: there is no such user, or he may not be seen.
    """
    user = get_user(session, user_id, only)
    others = {str(one.id): one for one in session.scalars(select(User).where(User.site_id == user.site_id))}
    found: list[CallBack] = []
    for record in site_records(session, user.site_id):
        kind, _, rest = record.key.partition("/")
        other_id, _, owner_id = rest.partition("/")
        other, value = others.get(other_id), record.value
        if kind != CALL_BACK or owner_id != str(user.id) or other is None:
            continue
        if not isinstance(value, str) or not value.isdecimal() or len(value) > 11:
            continue
        until = datetime.fromtimestamp(int(value), UTC)
        if until > now:
            found.append(CallBack(other.id, other.username, other.display_name, other.extension, until))
    return sorted(found, key=lambda one: (one.until, one.username))


def cancel_call_back(desk: Desk, user_id: UUID, other_id: UUID, only: UUID | None = None) -> None:
    """Wait for somebody no more: at the edge at once where it is online, else as soon as it is.

    Raises:
        NotFound: the user does not wait for him.
    """
    now = desk.clock.now()
    waiting = list_call_backs(desk.session, user_id, now, only)
    found = next((one for one in waiting if one.user_id == other_id), None)
    if found is None:
        raise NotFound
    user = get_user(desk.session, user_id, only)
    write_state(desk.session, user.site_id, f"{CALL_BACK}/{other_id}/{user.id}", None, now)
    desk.record("user.call_back_cancelled", "user", user.id, {"call_back": [found.username, None]}, user.tenant_id)
