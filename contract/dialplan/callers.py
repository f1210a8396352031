"""Who calls, as far as people tell callers apart: by the digits that a phone shows."""

from collections.abc import Collection, Iterable
from typing import Final

from contract.snapshot import PhonebookEntry

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
    if shown in plains:
        return True
    return len(shown) >= _TELLING and shown.isdigit() and any(_is_same(shown, one) for one in plains)


def _is_same(one: str, other: str) -> bool:
    if one.endswith(other):
        return len(other) >= _TELLING and other.isdigit()
    return other.endswith(one) and len(one) >= _TELLING and one.isdigit()


class Names:
    """Who has a number: found by all of it, or by its end where that leaves no doubt.

    Args:
        entries: of the phonebook; where two have one number, nobody is known by it.
    """

    __slots__ = ("_by_end", "_by_number")

    def __init__(self, entries: Iterable[PhonebookEntry] = ()) -> None:
        self._by_number: dict[str, set[str]] = {}
        self._by_end: dict[str, dict[str, str]] = {}
        """By the last digits: each whole number that ends so, with one of its names."""
        for entry in entries:
            for shown in filter(None, map(plain, entry.numbers)):
                self._by_number.setdefault(shown, set()).add(entry.name)
                if len(shown) >= _TELLING:
                    self._by_end.setdefault(shown[-_TELLING:], {})[shown] = entry.name

    def of(self, number: str) -> str:
        """The name of who shows this number; empty: nobody is known by it."""
        shown = plain(number)
        found = self._by_number.get(shown)
        if found is None:
            ending = self._by_end.get(shown[-_TELLING:], {})
            found = {name for whole, name in ending.items() if _is_same(shown, whole)}
        return next(iter(found)) if len(found) == 1 else ""
