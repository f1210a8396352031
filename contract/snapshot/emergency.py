"""Where help is to be sent to."""

from typing import Annotated

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.values import Frozen, Id, Text


class EmergencyLocation(Frozen):
    """A place of the site that emergency services can be sent to."""

    location_id: Id
    name: Text
    caller_id: Dialled
    """The number that stands for the place (ELIN); a call back to it has to reach the phone that called."""
    address: Annotated[str, Field(max_length=1024)] = ""
    """The dispatchable location: street, building, floor, room."""
