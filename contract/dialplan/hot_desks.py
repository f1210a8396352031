"""Who is logged in at somebody else's phone: a record of site state for each line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, ValidationError

from contract.values import Frozen, Id

HOT_DESK: Final = "hot_desk"
"""`hot_desk/<line id>`: a `HotDesk` in JSON; False: nobody."""
HOT_DESKING: Final = "HotDesking"
"""The permission of who may log in at the phones of others."""


class HotDesk(Frozen):
    """One line at which somebody is logged in."""

    user_id: Id
    """Who."""
    host_id: Id
    """Whose line it is."""
    until: Annotated[int, Field(ge=0)] = 0
    """When that ends, in seconds since 1970; 0: when he logs out."""

    def lasts(self, at: datetime) -> bool:
        """Whether he is still logged in."""
        return not self.until or at.timestamp() < self.until


def hot_desk(value: object, users: Mapping[str, object]) -> HotDesk | None:
    """What a record says; None: nobody, or nothing that makes sense.

    Args:
        value: of the record.
        users: of the site, by id.
    """
    if not isinstance(value, str):
        return None
    try:
        found = HotDesk.model_validate_json(value)
    except ValidationError:
        return None
    return found if found.user_id in users and found.host_id in users else None
