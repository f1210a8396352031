"""What a check is: it looks, and says whether something is wrong."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that needs a person.

    Args:
        text: what is wrong and what would help, in one sentence.
    """

    severity: Literal["information", "warning", "critical"]
    text: str


class Check(Protocol):
    """One thing to look at now and then."""

    alarm: str
    """The name of the alarm that a finding raises."""

    def run(self) -> Finding | None:
        """What is wrong now, or None; quick, and without side effects."""
        ...
