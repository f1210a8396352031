"""Call park: orbits in which callers wait with music until somebody takes them up at another phone."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contract.snapshot.music import OwnMusic
from contract.snapshot.served import Served
from contract.values import Extension, Frozen, SipUser


class OrbitMusic(Frozen):
    """What is heard in one orbit of a park."""

    orbit: Extension
    music: OwnMusic


class Park(Served):
    """Orbits, and a number that picks a free one and says which.

    A call is parked by transferring it to an orbit or to the number. Dialling an orbit takes up who waits there, as the
    code of the feature `park_retrieve` with the orbit behind it does.
    """

    kind: Literal["park"] = "park"
    orbits: Annotated[tuple[Extension, ...], Field(min_length=1, max_length=100)]
    """One caller waits in each."""
    timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    """After so long the phones of whoever parked the call ring."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30
    """How long they ring; who is not answered then waits on, and they ring again after the same time."""
    longest_seconds: Annotated[int, Field(ge=60, le=14_400)] = 3600
    """Nobody waits longer: the call goes to `leave_to`, or ends."""
    leave_key: Annotated[str, Field(pattern=r"^[0-9*#]?$")] = ""
    """What a caller presses who waits no longer; empty: there is no such key."""
    leave_to: SipUser | None = None
    """Where that key leads inside the site; None: to whoever parked the call."""
    music: OwnMusic | None = None
    """What callers in the orbits hear; None: that of whoever parked them."""
    orbit_music: Annotated[tuple[OrbitMusic, ...], Field(max_length=100)] = ()
    """What callers in some of the orbits hear instead."""

    @model_validator(mode="after")
    def _orbits_differ(self) -> Self:
        if len({*self.orbits}) < len(self.orbits):
            raise ValueError(f"{self.name} has an orbit twice")
        if {self.extension, *self.aliases} & {*self.orbits}:
            raise ValueError(f"the number of {self.name} is one of its orbits: it needs one of its own")
        with_music = [one.orbit for one in self.orbit_music]
        if unknown := sorted({*with_music} - {*self.orbits}):
            raise ValueError(f"{self.name} has music for {unknown[0]}, which is none of its orbits")
        if len({*with_music}) < len(with_music):
            raise ValueError(f"{self.name} has music for an orbit twice")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What is dialled for it, the orbits included."""
        return (*super().names, *self.orbits)
