"""What a feature code changes: values of site state records."""

from pydantic import TypeAdapter, ValidationError

from contract.dialplan.site_state import DO_NOT_DISTURB, FORWARDS
from contract.snapshot import Feature, User
from contract.values import SipUser

_destination: TypeAdapter[str] = TypeAdapter(SipUser)


def feature_values(feature: Feature, argument: str, user: User) -> tuple[tuple[str, str | bool], ...] | None:
    """The values that a user sets, by the kind of their records.

    Args:
        feature: which.
        argument: what was dialled behind the code.
        user: who dialled it.

    Returns:
        None: nobody can be forwarded there, or nothing belongs behind this code.
    """
    match feature:
        case "do_not_disturb_on" | "do_not_disturb_off":
            return None if argument else ((DO_NOT_DISTURB, feature == "do_not_disturb_on"),)
        case "forward_off":
            return None if argument else tuple((kind, False) for kind in FORWARDS)
        case _:
            if not argument:
                return ((feature, False),)
            try:
                _destination.validate_python(argument)
            except ValidationError:
                return None
            return None if argument in (user.username, user.extension, *user.aliases) else ((feature, argument),)
