"""Phonebooks of sites, and the directory: whom people look for by name or number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cloud.models import PhonebookEntry, Site, User
from cloud.pbx.checks import apply_changes, check_version, get_for_change, get_or_refuse
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound, TooMany
from cloud.pbx.pages import Page, PageRequest, oldest_first

MAX_PER_SITE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in the directory.

    Args:
        kind: a user of the site, or an entry of its phonebook.
        name: as people know him.
        numbers: as they are dialled.
    """

    kind: str
    name: str
    numbers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """Whom a search found, by name; `more`: there are others, which a longer search tells apart."""

    items: Sequence[Found]
    more: bool


def list_entries(session: Session, site_id: UUID, request: PageRequest) -> Page[PhonebookEntry]:
    """The phonebook of a site."""
    get_or_refuse(session, Site, site_id)
    query = select(PhonebookEntry).where(PhonebookEntry.site_id == site_id)
    return oldest_first(session, query, PhonebookEntry.id, request)


def create_entry(desk: Desk, site_id: UUID, name: str, numbers: list[str]) -> PhonebookEntry:
    """A new entry; the site is published.

    Raises:
        TooMany: the phonebook is full.
    """
    site = get_for_change(desk.session, Site, site_id)
    count = desk.session.scalar(select(func.count()).where(PhonebookEntry.site_id == site_id)) or 0
    if count >= MAX_PER_SITE:
        raise TooMany(f"A phonebook has at most {MAX_PER_SITE} entries")
    row = PhonebookEntry(id=desk.tokens.id(), tenant_id=site.tenant_id, site_id=site_id, name=name, numbers=numbers)
    desk.session.add(row)
    desk.flush()
    desk.record("phonebook_entry.created", "phonebook_entry", row.id, {"name": [None, name]}, site.tenant_id)
    desk.publish(site_id, f"{name} was put into the phonebook")
    return row


def change_entry(
    desk: Desk, site_id: UUID, entry_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> PhonebookEntry:
    """Change an entry; the site is published."""
    row = _of_site(desk, site_id, entry_id)
    check_version(row, expected)
    if changed := apply_changes(row, changes):
        desk.flush()
        desk.record("phonebook_entry.changed", "phonebook_entry", row.id, changed, row.tenant_id)
        desk.publish(site_id, f"{row.name} was changed in the phonebook")
    return row


def delete_entry(desk: Desk, site_id: UUID, entry_id: UUID, expected: int | None) -> None:
    """Take an entry out; the site is published."""
    row = _of_site(desk, site_id, entry_id)
    check_version(row, expected)
    desk.record("phonebook_entry.deleted", "phonebook_entry", row.id, {"name": [row.name, None]}, row.tenant_id)
    desk.session.delete(row)
    desk.flush()
    desk.publish(site_id, f"{row.name} was taken out of the phonebook")


def search_directory(session: Session, site_id: UUID, search: str, limit: int) -> Directory:
    """Users with an extension, and entries of the phonebook, with this part in their name or a number."""
    get_or_refuse(session, Site, site_id)
    users = select(User).where(User.site_id == site_id, User.enabled, User.extension.is_not(None))
    columns = (User.display_name, User.username, User.extension)
    users = users.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    found = [
        Found("user", user.display_name or user.username, [user.extension or ""])
        for user in session.scalars(users.order_by(User.display_name, User.id).limit(limit + 1))
    ]
    text = func.array_to_string(PhonebookEntry.numbers, " ")
    entries = select(PhonebookEntry).where(
        PhonebookEntry.site_id == site_id,
        or_(PhonebookEntry.name.icontains(search, autoescape=True), text.contains(search, autoescape=True)),
    )
    found += [
        Found("phonebook", entry.name, entry.numbers)
        for entry in session.scalars(entries.order_by(PhonebookEntry.name, PhonebookEntry.id).limit(limit + 1))
    ]
    found.sort(key=lambda one: one.name.casefold())
    return Directory(found[:limit], len(found) > limit)


def _of_site(desk: Desk, site_id: UUID, entry_id: UUID) -> PhonebookEntry:
    row = get_for_change(desk.session, PhonebookEntry, entry_id)
    if row.site_id != site_id:
        raise NotFound
    return row
