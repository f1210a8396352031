"""How often somebody is asked whether he is there (OPTIONS)."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _qualify_seconds(value: int) -> int:
    if 0 < value < 10:
        raise ValueError("0, or at least 10 seconds")
    return value


QualifySeconds = Annotated[int, Field(ge=0, le=3600), AfterValidator(_qualify_seconds)]
"""0: never."""
