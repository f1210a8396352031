"""The key of a phone by which its user has a call recorded, as a setting of the phones where somebody may."""

from collections.abc import Iterable
from typing import Final

from contract.devices.model import Value
from contract.devices.resolution import EVERY, Level

RECORD_CALLS: Final = "RecordCalls"
"""The permission of users who have calls recorded when they want it."""
RECORD_KEY: Final = "calls/record_key"


def record_key_level(permissions: Iterable[Iterable[str]]) -> Level:
    """What the site says to one phone.

    Args:
        permissions: of each user who has a line of it.
    """
    settings: dict[str, Value] = {RECORD_KEY: True} if any(RECORD_CALLS in one for one in permissions) else {}
    return Level("dial_plan", {EVERY: settings} if settings else {})
