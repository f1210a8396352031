"""How a trunk does, for whoever wants to know."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """How a trunk does.

    Args:
        trunk_id: which.
        name: for people.
        problem: why calls will not work, for people; empty: nothing speaks against it.
        registered: whether the provider knows where we are; None: the trunk does not register.
        calls: at this moment.
    """

    trunk_id: str
    name: str
    problem: str
    registered: bool | None
    calls: int


Told = Callable[[tuple[TrunkStatus, ...]], None]
"""Hears how every trunk does, whenever one does otherwise than before."""
