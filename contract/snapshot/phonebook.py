"""People beyond the site whose names are shown when they call."""

from typing import Annotated

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.values import Frozen, Id, Text

PhoneNumber = Annotated[Dialled, Field(min_length=1)]
"""As people dial it, or with its plus."""


class PhonebookEntry(Frozen):
    """One person or company."""

    entry_id: Id
    name: Annotated[Text, Field(min_length=1)]
    numbers: Annotated[tuple[PhoneNumber, ...], Field(min_length=1, max_length=8)]
    """The first one is shown in the directories of phones."""
