"""From site state records to what routing goes by: what users set at their phones or in the portal.

Each field of a user's forwarding is a record of its own, so that a change made at the site and another one made in the
portal meanwhile both count. A text is a destination, False switches off, and a tombstone (None) leaves the snapshot's.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from contract.dialplan.steps import SiteState
from contract.snapshot import FindMe, Forwarding, User
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

_find_me: Final = TypeAdapter(tuple[FindMe, ...])


def site_state(records: Iterable[StateRecord], users: Mapping[str, User]) -> SiteState:
    """What routing asks for of the site state records; those that make no sense, or are nobody's, are passed over.

    Args:
        records: `<kind>/<user id>`.
        users: the site's, by id.
    """
    disturbed_not: set[str] = set()
    set_here: dict[str, dict[str, Any]] = {}
    for record in records:
        kind, _, user_id = record.key.partition("/")
        if user_id not in users or record.value is None:
            continue
        if kind == DO_NOT_DISTURB:
            if record.value is True:
                disturbed_not.add(user_id)
            continue
        changes = _changes(kind, record.value)
        if changes:
            set_here.setdefault(user_id, {}).update(changes)
    forwarding = {user_id: _with(users[user_id].forwarding, changes) for user_id, changes in set_here.items()}
    return SiteState(do_not_disturb=frozenset(disturbed_not), forwarding=forwarding)


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
