"""Who is logged in at whose phone, and logging somebody out from afar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Line, Site, User
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound
from cloud.pbx.state import site_records, write_state
from contract.dialplan.hot_desks import HOT_DESK, HotDesk, hot_desk


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody at another's phone.

    Args:
        line_id: the phone's line.
        user_id, username: who is logged in.
        host_id, host: whose line it is.
        until: when that ends; None: when he logs out.
    """

    line_id: UUID
    user_id: UUID
    username: str
    host_id: UUID
    host: str
    until: datetime | None


def list_hot_desks(session: Session, site_id: UUID, now: datetime) -> Sequence[LoggedIn]:
    """Who is logged in now, as far as the cloud knows, by who it is."""
    get_or_refuse(session, Site, site_id)
    users = {str(user.id): user for user in session.scalars(select(User).where(User.site_id == site_id))}
    lines = {str(line_id): line_id for line_id in session.scalars(select(Line.id).where(Line.site_id == site_id))}
    found: list[LoggedIn] = []
    for record in site_records(session, site_id):
        kind, _, line_id = record.key.partition("/")
        desk = hot_desk(record.value, users) if kind == HOT_DESK and line_id in lines else None
        if desk is None or not desk.lasts(now):
            continue
        user, host = users[desk.user_id], users[desk.host_id]
        found.append(LoggedIn(lines[line_id], user.id, user.username, host.id, host.username, _until(desk)))
    return sorted(found, key=lambda one: (one.username, one.line_id))


def log_out(desk: Desk, site_id: UUID, line_id: UUID) -> None:
    """Log out whoever is at this line: at the edge at once where it is online, else as soon as it is.

    Raises:
        NotFound: nobody is logged in there.
    """
    now = desk.clock.now()
    found = next((one for one in list_hot_desks(desk.session, site_id, now) if one.line_id == line_id), None)
    if found is None:
        raise NotFound
    site = get_or_refuse(desk.session, Site, site_id)
    write_state(desk.session, site_id, f"{HOT_DESK}/{line_id}", None, now)
    desk.record("hot_desk.logged_out", "line", line_id, {"user": [found.username, None]}, site.tenant_id)


def _until(desk: HotDesk) -> datetime | None:
    return datetime.fromtimestamp(desk.until, UTC) if desk.until else None
