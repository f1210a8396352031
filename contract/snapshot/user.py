"""People (and rooms, and doors) that calls are made by and for."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from contract.snapshot.forwarding import Forwarding
from contract.snapshot.music import OwnMusic
from contract.snapshot.pattern import Dialled
from contract.values import Extension, Frozen, Id, SipUser, Text

PERMISSIONS: Final = frozenset(
    {
        "900Dialing",
        "CallPickup",
        "EchoTest",
        "HotDesking",
        "Intercom",
        "InternationalDialing",
        "LocalDialing",
        "LongDistanceDialing",
        "Mobile",
        "RecordCalls",
        "RecordSystemPrompts",
        "SuperAdmin",
        "TollFree",
        "Voicemail",
    }
)
"""Every permission that schema version 1 knows; names as the predecessor's users know them."""


NO_FORWARDING: Final = Forwarding()


def _usual(given: Forwarding) -> Forwarding:
    """One object stands for all users who forward nothing, which are nearly all."""
    return NO_FORWARDING if given == NO_FORWARDING else given


class User(Frozen):
    """A user of the tenant, at home at this site."""

    user_id: Id
    username: SipUser
    """The user part of the address of record `sip:<username>@<site domain>`."""
    display_name: Text
    extension: Extension | None = None
    aliases: Annotated[tuple[SipUser, ...], Field(max_length=32)] = ()
    permissions: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    enabled: bool = True
    """A disabled user is refused registration and calls, and keeps configuration and history."""
    caller_id: Dialled | None = None
    """The number that calls to the outside show; None: the gateway's."""
    anonymous: bool = False
    """Whether calls to the outside hide who calls."""
    appearances: Annotated[int, Field(ge=0, le=24)] = 0
    """How many calls the user's line can have at one time, shown on every phone that has it; 0: it is not shared."""
    forwarding: Annotated[Forwarding, AfterValidator(_usual)] = NO_FORWARDING
    """As long as the user has set nothing else at the site."""
    music: OwnMusic | None = None
    """What those hear whom the user holds or parks; None: that of a hunt group of his, else that of the site."""
