"""What is dialled, as a pattern, and the number that is called for it."""

from typing import Annotated, Literal

from pydantic import Field

from contract.values import Frozen

Dialled = Annotated[str, Field(pattern=r"^\+?[0-9*#]{0,32}$")]
"""Digits, star and hash as a phone sends them, with the plus of an E.164 number in front."""


class DialPattern(Frozen):
    """A fixed beginning, then so many digits: `(19, 3)` is `19xxx`, `(134, None)` is `134` and whatever follows."""

    prefix: Dialled = ""
    digits: Annotated[int, Field(ge=0, le=32)] | None = None
    """How many digits follow the prefix; None: any number of them, none at all too."""


class CallPattern(Frozen):
    """The number that is called: a fixed beginning, then what of the dialled number is kept."""

    prefix: Dialled = ""
    keep: Literal["all", "variable", "nothing"] = "all"
    """`variable`: the digits after the pattern's prefix."""
