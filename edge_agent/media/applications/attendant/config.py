"""The attendants of a site, and what they know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from contract.dialplan.compiled import zone_of
from contract.dialplan.schedules import period_at
from contract.snapshot import Attendant, Schedule, SiteToSiteRule, Snapshot, VoicemailRule
from contract.sync.state import StateRecord
from edge_agent.media.applications.attendant.directory import Directory, Person

SPECIAL_MODE: Final = "attendant_special"
"""Kind of the site state record that says whether special mode is on: `attendant_special/<service id>`."""
MAY_RECORD: Final = "RecordSystemPrompts"
"""The permission of users who record greetings and switch special mode by telephone."""


@dataclass(frozen=True, slots=True)
class AttendantConfig:
    """Everything that the application goes by.

    Args:
        attendants: by id, those that are switched on.
        directories: whom their callers may ask for, by the attendant's id.
        schedules: by id.
        zone: of the site.
        mailbox_prefix: dialled before an extension, it leads to the mailbox; empty: there is no way there.
        keepers: ids of the users who record greetings.
    """

    attendants: Mapping[str, Attendant] = field(default_factory=dict)
    directories: Mapping[str, Directory] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    zone: tzinfo = UTC
    mailbox_prefix: str = ""
    keepers: frozenset[str] = frozenset()

    def first_menu(self, attendant: Attendant, special: bool, at: datetime) -> str:
        """The menu that a call begins with.

        Args:
            attendant: which was called.
            special: whether special mode is on.
            at: the moment.
        """
        if special and attendant.special_menu is not None:
            return attendant.special_menu
        for timed in attendant.by_time:
            schedule = self.schedules.get(timed.during.schedule_id)
            if schedule is not None and period_at(schedule, self.zone, at) in timed.during.periods:
                return timed.menu_id
        return attendant.first_menu


def special_modes(records: Iterable[StateRecord]) -> dict[str, bool]:
    """Where special mode was switched by telephone, by the attendant's id.

    Args:
        records: of the site's state.
    """
    found = {}
    for record in records:
        kind, _, service_id = record.key.partition("/")
        if kind == SPECIAL_MODE and isinstance(record.value, bool):
            found[service_id] = record.value
    return found


def attendant_config(snapshot: Snapshot) -> AttendantConfig:
    """What the snapshot says of attendants."""
    plan = snapshot.dial_plan
    attendants = {one.service_id: one for one in plan.voice_services if isinstance(one, Attendant) and one.enabled}
    shared: dict[frozenset[str], Directory] = {}
    directories = {}
    for service_id, attendant in attendants.items():
        unlisted = frozenset(attendant.unlisted)
        if unlisted not in shared:
            shared[unlisted] = _directory(snapshot, unlisted)
        directories[service_id] = shared[unlisted]
    prefixes = (rule.prefix for rule in plan.rules if isinstance(rule, VoicemailRule) and rule.enabled and rule.prefix)
    return AttendantConfig(
        attendants=attendants,
        directories=directories,
        schedules={one.schedule_id: one for one in plan.schedules},
        zone=zone_of(snapshot.site.time_zone),
        mailbox_prefix=next(prefixes, ""),
        keepers=frozenset(user.user_id for user in snapshot.users if user.enabled and MAY_RECORD in user.permissions),
    )


def _directory(snapshot: Snapshot, unlisted: frozenset[str]) -> Directory:
    plan = snapshot.dial_plan
    users = [user for user in snapshot.users if user.enabled and user.user_id not in unlisted]
    others = (*plan.hunt_groups, *plan.voice_services)
    extensions = {name for user in users for name in (user.extension, user.username, *user.aliases) if name}
    extensions |= {name for one in others if one.enabled for name in (one.extension, *one.aliases)}
    people = [
        Person(user.user_id, user.display_name, user.extension or user.username) for user in users if user.display_name
    ]
    if any(isinstance(rule, SiteToSiteRule) and rule.enabled for rule in plan.rules):
        for colleague in (each for site in snapshot.other_sites for each in site.colleagues):
            numbers = [name for name in colleague.dialled if name.isascii() and name.isdigit()]
            extensions.update(numbers)
            if colleague.name and numbers:
                people.append(Person("", colleague.name, numbers[0]))
    return Directory(extensions, people)
