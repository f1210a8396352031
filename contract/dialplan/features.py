"""What a feature code changes: values of site state records."""

from typing import assert_never

from pydantic import TypeAdapter, ValidationError

from contract.dialplan.callers import plain
from contract.dialplan.site_state import (
    DO_NOT_DISTURB,
    FORWARDS,
    NO_ANONYMOUS,
    NO_INTERCOM,
    NO_SECOND_CALL,
    SPEED_DIAL,
    blocked_kind,
)
from contract.snapshot import SpeedDial, User
from contract.snapshot.dial_plan import Setting
from contract.values import SipUser

Values = tuple[tuple[str, str | bool], ...]

_destination: TypeAdapter[str] = TypeAdapter(SipUser)
_SWITCHES: dict[Setting, tuple[str, bool]] = {
    "do_not_disturb_on": (DO_NOT_DISTURB, True),
    "do_not_disturb_off": (DO_NOT_DISTURB, False),
    "call_waiting_on": (NO_SECOND_CALL, False),
    "call_waiting_off": (NO_SECOND_CALL, True),
    "anonymous_rejection_on": (NO_ANONYMOUS, True),
    "anonymous_rejection_off": (NO_ANONYMOUS, False),
    "intercom_on": (NO_INTERCOM, False),
    "intercom_off": (NO_INTERCOM, True),
}


def feature_values(feature: Setting, argument: str, user: User, last_caller: str) -> Values | None:
    """The values that a user sets, by the kind of their records.

    Args:
        feature: which.
        argument: what was dialled behind the code.
        user: who dialled it.
        last_caller: what whoever called the user last showed; empty: nobody is known.

    Returns:
        None: nobody can be forwarded there, or nothing belongs behind this code.
    """
    if (switch := _SWITCHES.get(feature)) is not None:
        return None if argument else (switch,)
    match feature:
        case "forward_off":
            return None if argument else tuple((kind, False) for kind in FORWARDS)
        case "block_number" | "unblock_number":
            return _blocked(argument, feature == "block_number")
        case "block_last_caller":
            return None if argument else _blocked(last_caller, True)
        case "set_speed_dial":
            return _speed_dial(argument)
        case "forward_always" | "forward_busy" | "forward_no_answer" | "forward_unregistered":
            if not argument:
                return ((feature, False),)
            return ((feature, argument),) if is_destination(argument) and argument not in names_of(user) else None
        case (
            "do_not_disturb_on"
            | "do_not_disturb_off"
            | "call_waiting_on"
            | "call_waiting_off"
            | "anonymous_rejection_on"
            | "anonymous_rejection_off"
            | "intercom_on"
            | "intercom_off"
        ):
            return None
    assert_never(feature)


def is_destination(text: str) -> bool:
    """Whether something may be dialled at all."""
    try:
        _destination.validate_python(text)
    except ValidationError:
        return False
    return True


def names_of(user: User) -> frozenset[str]:
    """What a user is dialled by."""
    return frozenset(name for name in (user.username, user.extension, *user.aliases) if name)


def _blocked(number: str, value: bool) -> Values | None:
    kind = blocked_kind(plain(number))
    return ((kind, value),) if kind is not None else None


def _speed_dial(argument: str) -> Values | None:
    """`<slot>*<destination>`, or the slot alone, which is emptied."""
    slot, star, destination = argument.partition("*")
    try:
        made = SpeedDial(slot=slot, destination=destination or "-")
    except ValidationError:
        return None
    if not star or not destination:
        return None if star else ((f"{SPEED_DIAL}/{slot}", False),)
    return ((f"{SPEED_DIAL}/{slot}", made.model_dump_json()),)
