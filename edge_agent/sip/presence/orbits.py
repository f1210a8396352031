"""Park orbits as busy lamps see them: a call for each that is taken (RFC 4235)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract.dialplan import CompiledPlan
from contract.snapshot import Park
from edge_agent.sip.proxy.parties import Parties, Party

_PREFIX: Final = "orbit:"


class OrbitLamps:
    """Makes parties of who waits.

    Args:
        parties: of all calls.
    """

    def __init__(self, parties: Parties) -> None:
        self._parties = parties
        self._taken: dict[str, Party] = {}

    def taken(self, waiting: Mapping[str, str]) -> None:
        """Who waits in each taken orbit; every other one is free."""
        for orbit in [one for one in self._taken if one not in waiting]:
            self._parties.set(self._taken.pop(orbit), "terminated")
        for orbit in waiting:
            if orbit not in self._taken:
                # Without tags, so that no phone asks for the call's place instead of dialling the orbit.
                resource = resource_of(orbit)
                party = self._taken[orbit] = Party(resource, resource, resource.encode(), "recipient", b"", b"", None)
                self._parties.set(party, "confirmed")


def resource_of(orbit: str) -> str:
    """What the lamp of an orbit watches, in place of a user's id; no id has a colon."""
    return _PREFIX + orbit


def orbit_of(resource: str) -> str | None:
    """The orbit that a resource stands for; None: it is a user's id."""
    return resource.removeprefix(_PREFIX) if resource.startswith(_PREFIX) else None


def is_orbit(plan: CompiledPlan, number: str) -> bool:
    """Whether this is an orbit of the site."""
    service = plan.services.get(number)
    return isinstance(service, Park) and number in service.orbits
