"""The site of the soak: a conference, a queue, mailboxes without phones, and an attendant that leads there."""

from typing import Final
from uuid import UUID

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import (
    Attendant,
    AttendantMenu,
    CallQueue,
    Conference,
    Line,
    MenuKey,
    QueueAgent,
    Site,
    Snapshot,
    ToDestination,
    ToMailbox,
    User,
)
from tests.soak.phone import DOMAIN

MAILBOXES: Final = tuple(str(900 + n) for n in range(20))
ROOM, QUEUE, ATTENDANT, LOG_IN = "800", "600", "500", "*13"
TO_ROOM: Final = "9"
"""The attendant's key for the conference; those from 0 on are for the first mailboxes."""
TO_MAILBOXES: Final = dict(zip(map(str, range(9)), MAILBOXES, strict=False))
_SITE_ID: Final = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"


def site_of(callers: list[str], agents: list[str]) -> Snapshot:
    """A site with these callers, and these agents of its queue."""
    ways: dict[str, ToMailbox | ToDestination] = {
        key: ToMailbox(mailbox=mailbox) for key, mailbox in TO_MAILBOXES.items()
    }
    ways[TO_ROOM] = ToDestination(destination=ROOM)
    keys = tuple(MenuKey.model_validate({"key": key, "action": action}) for key, action in ways.items())
    menu = AttendantMenu(menu_id="main", name="Main", keys=keys)
    services = (
        Attendant(service_id="attendant", name="Attendant", extension=ATTENDANT, menus=(menu,), first_menu="main"),
        Conference(
            service_id="room", name="Room", extension=ROOM, owner=f"u-{callers[0]}", music_alone=False, most_members=100
        ),
        CallQueue(
            service_id="queue",
            name="Queue",
            extension=QUEUE,
            agents=tuple(QueueAgent(user_id=f"u-{one}") for one in agents),
            waits_for_agents=True,
            most_waiting=len(callers),
            welcome=False,
        ),
    )
    everybody = [*callers, *agents, *MAILBOXES]
    plan = default_dial_plan(UUID(_SITE_ID))
    return Snapshot(
        version=1,
        site=Site(site_id=_SITE_ID, tenant_id="tenant-1", name="Office", domain=DOMAIN, realm="realm-1"),
        users=tuple(
            User(user_id=f"u-{n}", username=n, display_name=f"Desk {n}", extension=n, permissions=("Voicemail",))
            for n in everybody
        ),
        lines=tuple(
            Line(line_id=f"l-{n}", user_id=f"u-{n}", auth_username=f"auth{n}", password=f"s-{n}:1") for n in everybody
        ),
        dial_plan=plan.model_copy(update={"voice_services": services}),
    )
