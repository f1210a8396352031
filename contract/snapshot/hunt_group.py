"""One number for several users."""

from typing import Annotated, Literal

from pydantic import Field

from contract.snapshot.forwarding import RingSeconds
from contract.snapshot.music import OwnMusic
from contract.values import Extension, Frozen, Id, SipUser, Text

Strategy = Literal["parallel", "serial", "round_robin", "longest_idle"]


class HuntGroup(Frozen):
    """Users who answer for each other."""

    group_id: Id
    name: Text
    extension: Extension
    aliases: Annotated[tuple[SipUser, ...], Field(max_length=32)] = ()
    enabled: bool = True
    strategy: Strategy = "parallel"
    members: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    """User ids, in the order in which `serial` rings them."""
    ring_seconds: RingSeconds = 30
    """How long each round rings: everybody at once, or one member."""
    follow_forwarding: bool = False
    """Whether members' own forwarding counts; otherwise only their phones ring."""
    fallback: SipUser | None = None
    """What is dialled when nobody answers."""
    music: OwnMusic | None = None
    """What those hear whom its members hold or park; of several groups of a user, that of the first one counts."""
