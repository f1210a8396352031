"""Distribution lists for voicemail: those of a site, and those of its users, which are site state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.pbx.checks import Problems, invalid
from cloud.pbx.desk import Desk
from cloud.pbx.group_mailboxes import NamedMailbox, mailboxes_of_site
from cloud.pbx.state import site_records, write_state
from cloud.pbx.users import get_user
from contract.mailbox_state import LIST_DIGITS, MOST_MEMBERS, list_key, members_of


@dataclass(frozen=True, slots=True)
class OwnList:
    """A list of a user's own.

    Args:
        digit: what is pressed for it behind a star.
        members: ids of mailboxes; those that are gone are left out.
    """

    digit: str
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class OwnLists:
    """The lists of a user, and the mailboxes that can be on them."""

    items: Sequence[OwnList]
    mailboxes: Sequence[NamedMailbox]


def get_lists(session: Session, user_id: UUID, only: UUID | None = None) -> OwnLists:
    """A user's lists, as far as the cloud knows; whoever may see `only` one finds no other."""
    user = get_user(session, user_id, only)
    mailboxes = mailboxes_of_site(session, user.site_id)
    there = {one.id for one in mailboxes}
    kept = {record.key: members_of(record.value) for record in site_records(session, user.site_id)}
    items = [
        OwnList(digit, tuple(one for one in kept.get(list_key(str(user.id), digit), ()) if one in there))
        for digit in LIST_DIGITS
    ]
    return OwnLists([one for one in items if one.members], mailboxes)


def put_list(desk: Desk, user_id: UUID, digit: str, members: Sequence[str], only: UUID | None = None) -> OwnLists:
    """Have these mailboxes on a list, at the edge at once where it is online; none: there is no such list then.

    Raises:
        Invalid: there is no such digit or mailbox, or there are too many.
    """
    user = get_user(desk.session, user_id, only)
    if digit not in LIST_DIGITS or len(digit) != 1:
        raise invalid("digit", "A list has one digit, 0 to 9")
    wanted = tuple(dict.fromkeys(members))
    if len(wanted) > MOST_MEMBERS:
        raise invalid("members", f"At most {MOST_MEMBERS} mailboxes are on one list")
    there = {one.id for one in mailboxes_of_site(desk.session, user.site_id)}
    problems = Problems()
    _check_members(problems, "members", wanted, there)
    problems.check()
    key = list_key(str(user.id), digit)
    before = next((one.members for one in get_lists(desk.session, user_id).items if one.digit == digit), ())
    write_state(desk.session, user.site_id, key, " ".join(wanted), desk.clock.now())
    desk.flush()
    if tuple(before) != wanted:
        told: dict[str, list[object]] = {f"list {digit}": [list(before), list(wanted)]}
        desk.record("user.mailbox_changed", "user", user.id, told, user.tenant_id)
    return get_lists(desk.session, user_id, only)


def check_site_lists(session: Session, problems: Problems, site_id: UUID, changes: Mapping[str, Any]) -> None:
    """Whether the lists that a change of a site's voicemail brings name its mailboxes."""
    lists = changes.get("lists") or ()
    there = {one.id for one in mailboxes_of_site(session, site_id)} if lists else frozenset[str]()
    for number, one in enumerate(lists):
        _check_members(problems, f"voicemail.lists.{number}.members", one.get("members", ()), there)


def _check_members(problems: Problems, field: str, members: Sequence[str], there: set[str] | frozenset[str]) -> None:
    for place, one in enumerate(members):
        if one not in there:
            problems.add(f"{field}.{place}", "The site has no such mailbox")
