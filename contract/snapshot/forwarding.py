"""Where a user's calls go besides the user's phones."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.schedule import During
from contract.values import Frozen, SipUser

RingSeconds = Annotated[int, Field(ge=1, le=600)]


class FindMe(Frozen):
    """One more place to ring."""

    destination: SipUser
    """What the user would dial to get there."""
    order: Literal["at_the_same_time", "if_no_response"] = "if_no_response"
    """Together with what rings before it in the list, or when that was not answered."""
    seconds: RingSeconds = 20
    enabled: bool = True
    during: During | None = None
    confirm: bool = False
    """A place beyond the site has to press 1 before it is connected, so that no foreign voicemail takes the call."""


class Forwarding(Frozen):
    """A user's call forwarding and find-me/follow-me. Users change it at the site; the snapshot has the default."""

    always: SipUser | None = None
    busy: SipUser | None = None
    no_answer: SipUser | None = None
    unregistered: SipUser | None = None
    """When no phone of the user is registered; without it, `no_answer` counts then too."""
    ring_seconds: RingSeconds = 20
    """How long the user's own phones ring before the call goes on."""
    find_me: Annotated[tuple[FindMe, ...], Field(max_length=20)] = ()
