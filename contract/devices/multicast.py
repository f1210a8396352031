"""Multicast addresses of paging groups as settings of the phones that are to listen there."""

from collections.abc import Sequence
from typing import Final

from contract.devices.model import DeviceModel, Value
from contract.devices.resolution import EVERY, Level
from contract.snapshot.paging import Paging

PLACES: Final = 10
"""Most addresses that a phone of any vendor is told of."""
_LABEL: Final = 32


def multicast_level(groups: Sequence[Paging]) -> Level:
    """What the site's paging groups say to one phone.

    Args:
        groups: with a multicast address, the most important first; those beyond `PLACES` are not told.
    """
    told = [(one, one.multicast) for one in groups if one.multicast is not None][:PLACES]
    settings: dict[str, Value] = {}
    for place, (group, stream) in enumerate(told, 1):
        settings[f"multicast/{place}/address"] = f"{stream.address}:{stream.port}"
        settings[f"multicast/{place}/label"] = _writable(group.name)
    if urgent := next((count for count, (group, _) in enumerate(told) if not group.urgent), len(told)):
        settings["paging/urgent_places"] = urgent
    return Level("dial_plan", {EVERY: settings} if settings else {})


def multicast_places(model: DeviceModel) -> int:
    """How many addresses phones of a model listen to; 0: they cannot."""
    return sum(f"multicast/{place}/address" in model.settings for place in range(1, PLACES + 1))


def _writable(label: str) -> str:
    """A name as the files of every vendor can hold it."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else " " for letter in label)
    return " ".join(kept.split())[:_LABEL].strip()
