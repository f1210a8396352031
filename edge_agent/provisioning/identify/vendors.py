"""How phones of vendors without a plug-in are recognised, so that the portal can say what an unknown phone seems to be.

Patterns are matched without regard to case. From the vendors' administration guides; firmware differs, so that a
pattern keeps to what has been stable.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Vendor:
    """What gives one vendor's phones away."""

    name: str
    ouis: frozenset[str]
    user_agents: tuple[re.Pattern[str], ...]
    file_names: tuple[re.Pattern[str], ...]
    vendor_classes: tuple[re.Pattern[str], ...] = ()


_MAC = r"(?P<mac>[0-9a-f]{12})"
_ANY_MAC = r"(?P<mac>[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5})"


def _vendor(name: str, ouis: str = "", user_agents: tuple[str, ...] = (), file_names: tuple[str, ...] = ()) -> Vendor:
    return Vendor(
        name,
        frozenset(ouis.split()),
        tuple(re.compile(text, re.IGNORECASE) for text in user_agents),
        tuple(re.compile(text, re.IGNORECASE) for text in file_names),
    )


KNOWN_VENDORS: Final = (
    _vendor("ale", "", (rf"ALE (?P<model>\S+) (?P<firmware>\S+) {_MAC}",), (rf"config\.{_MAC}\.xml$",)),
    _vendor("flyingvoice", "0021f2", (rf"Flyingvoice (?P<model>\S+) V?(?P<firmware>\S+) {_ANY_MAC}",)),
)
