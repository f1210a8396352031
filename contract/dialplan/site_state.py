"""From site state records to what routing goes by: what users set at their phones or in the portal.

Each field of a user's forwarding is a record of its own, so that a change made at the site and another one made in the
portal meanwhile both count. A text is a destination, False switches off, and a tombstone (None) leaves the snapshot's.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from contract.dialplan.hot_desks import HOT_DESK, HotDesk, hot_desk
from contract.dialplan.steps import SiteState
from contract.queue_state import AGENT as QUEUE_AGENT
from contract.queue_state import AgentPresence, known_presence
from contract.snapshot import FindMe, Forwarding, SpeedDial, User
from contract.sync.state import StateRecord

DO_NOT_DISTURB: Final = "do_not_disturb"
FORWARDS: Final = {
    "forward_always": "always",
    "forward_busy": "busy",
    "forward_no_answer": "no_answer",
    "forward_unregistered": "unregistered",
}
"""Kinds of records that hold a destination, with the field of `Forwarding` that each one sets."""
RING_SECONDS: Final = "ring_seconds"
FIND_ME: Final = "find_me"
"""A JSON list of `FindMe`."""

NO_SECOND_CALL: Final = "no_second_call"
NO_ANONYMOUS: Final = "no_anonymous"
NO_INTERCOM: Final = "no_intercom"
BLOCKED: Final = "blocked"
"""`blocked/<what callers.plain makes of the number>`: whose calls the user does not want."""
SPEED_DIAL: Final = "speed_dial"
"""`speed_dial/<slot>`: a `SpeedDial` in JSON."""
CALL_BACK: Final = "call_back"
"""`call_back/<user id>`: until when (seconds since 1970) its owner wants to be called back once that user is free."""
MAX_CALL_BACKS: Final = 5
"""Of one user; what is beyond does not count."""
MAX_BLOCKED: Final = 200
"""Of one user; what is beyond does not count."""
MAX_SPEED_DIALS: Final = 110

_SWITCHES: Final = (DO_NOT_DISTURB, NO_SECOND_CALL, NO_ANONYMOUS, NO_INTERCOM)
_find_me: Final = TypeAdapter(tuple[FindMe, ...])
_IN_KEY: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


def blocked_kind(plain: str) -> str | None:
    """The kind of the record that blocks a caller; None: nobody can be called so."""
    return f"{BLOCKED}/{plain}" if _IN_KEY.fullmatch(plain) else None


def site_state(records: Iterable[StateRecord], users: Mapping[str, User]) -> SiteState:
    """What routing asks for of the site state records; those that make no sense, or are nobody's, are passed over.

    Args:
        records: `<kind>/<user id>`, where a kind may have a second part, and `hot_desk/<line id>`.
        users: the site's, by id.
    """
    switched: dict[str, set[str]] = {kind: set() for kind in _SWITCHES}
    blocked: dict[str, set[str]] = {}
    speed_dials: dict[str, dict[str, SpeedDial]] = {}
    hot_desks: dict[str, HotDesk] = {}
    call_backs: dict[str, dict[str, float]] = {}
    queue_agents: dict[str, dict[str, AgentPresence]] = {}
    set_here: dict[str, dict[str, Any]] = {}
    for record in records:
        kind, _, user_id = record.key.rpartition("/")
        value = record.value
        if kind == HOT_DESK:
            if (desk := hot_desk(value, users)) is not None:
                hot_desks[user_id] = desk
            continue
        if user_id not in users or value is None:
            continue
        if kind in switched:
            if value is True:
                switched[kind].add(user_id)
            continue
        first, _, item = kind.partition("/")
        if first == BLOCKED and item:
            if value is True and len(plains := blocked.setdefault(user_id, set())) < MAX_BLOCKED:
                plains.add(item)
            continue
        if first == SPEED_DIAL and item:
            if (found := _speed_dial(item, value)) is not None:
                speed_dials.setdefault(user_id, {})[item] = found
            continue
        if first == CALL_BACK and item:
            wanted = call_backs.setdefault(user_id, {})
            if item in users and isinstance(value, str) and value.isdecimal() and len(wanted) < MAX_CALL_BACKS:
                wanted[item] = float(value[:15])
            continue
        if first == QUEUE_AGENT and item:
            if (presence := known_presence(value)) is not None:
                queue_agents.setdefault(user_id, {})[item] = presence
            continue
        if changes := _changes(kind, value):
            set_here.setdefault(user_id, {}).update(changes)
    forwarding = {user_id: _with(users[user_id].forwarding, changes) for user_id, changes in set_here.items()}
    return SiteState(
        do_not_disturb=frozenset(switched[DO_NOT_DISTURB]),
        forwarding=forwarding,
        no_second_call=frozenset(switched[NO_SECOND_CALL]),
        no_anonymous=frozenset(switched[NO_ANONYMOUS]),
        no_intercom=frozenset(switched[NO_INTERCOM]),
        blocked={user_id: frozenset(plains) for user_id, plains in blocked.items()},
        speed_dials=speed_dials,
        hot_desks=hot_desks,
        call_backs={user_id: wanted for user_id, wanted in call_backs.items() if wanted},
        queue_agents=queue_agents,
    )


def _speed_dial(slot: str, value: str | bool | int) -> SpeedDial | None:
    if not isinstance(value, str):
        return None
    try:
        found = SpeedDial.model_validate_json(value)
    except ValidationError:
        return None
    return found if found.slot == slot else None


def _changes(kind: str, value: str | bool | int) -> dict[str, Any]:
    if (field := FORWARDS.get(kind)) is not None:
        return {field: value or None} if isinstance(value, str) or value is False else {}
    if kind == RING_SECONDS:
        return {"ring_seconds": value}
    if kind == FIND_ME and isinstance(value, str):
        try:
            return {"find_me": _find_me.validate_json(value)}
        except ValidationError:
            return {}
    return {}


def _with(forwarding: Forwarding, changes: dict[str, Any]) -> Forwarding:
    """The forwarding with these fields changed, each one that is valid."""
    for field, value in changes.items():
        try:
            forwarding = Forwarding.model_validate({**dict(forwarding), field: value})
        except ValidationError:
            continue
    return forwarding
