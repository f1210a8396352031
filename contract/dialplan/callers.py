"""Who calls, as far as people tell callers apart: by the digits that a phone shows."""

from collections.abc import Collection
from typing import Final

_TELLING: Final = 7
"""So many last digits tell two numbers apart, whatever country code or trunk prefix is before them."""


def plain(number: str) -> str:
    """A number or user name without what writing it differently adds: the plus, and zeros that lead out.

    Args:
        number: as a caller shows it; empty or nothing but zeros gives the empty text.
    """
    return number.removeprefix("+").lstrip("0")


def is_among(number: str, plains: Collection[str]) -> bool:
    """Whether a caller is one of these.

    Args:
        number: as the caller shows it.
        plains: what `plain` made of each.
    """
    shown = plain(number)
    if not shown or not plains:
        return False
    return shown in plains or (shown.isdigit() and any(_is_same(shown, one) for one in plains))


def _is_same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _TELLING and shorter.isdigit() and longer.endswith(shorter)
