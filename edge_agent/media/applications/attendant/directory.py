"""Whom callers of an attendant may ask for: by extension, or by a name that is spelled on the keys (ITU-T E.161)."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_LETTERS: Final = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
_KEY_OF: Final = {letter: key for key, letters in _LETTERS.items() for letter in letters}
_WRITTEN_OUT: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d"}
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has a number.

    Args:
        user_id: names him; empty: he is at another site.
        name: as people call him.
        number: what is dialled for him.
    """

    user_id: str
    name: str
    number: str


def keys_of(name: str) -> str:
    """The keys that spell a name; accents are left out, digits stand for themselves."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_WRITTEN_OUT))
    return "".join(one if one.isascii() and one.isdigit() else _KEY_OF.get(one, "") for one in plain)


class Directory:
    """What can be asked for.

    Args:
        extensions: what may be pressed as a number; what is no number is passed over.
        people: who may be spelled.
    """

    __slots__ = ("_extensions", "_known", "_spelled")

    def __init__(self, extensions: Iterable[str] = (), people: Iterable[Person] = ()) -> None:
        self._known = frozenset(one for one in extensions if one.isascii() and one.isdigit())
        self._extensions = sorted(self._known)
        spelled = {(keys, one.number): (keys, one) for one in people for keys in _ways_to_spell(one.name) if keys}
        self._spelled = sorted(spelled.values(), key=lambda each: (each[0], each[1].name, each[1].number))

    def has(self, extension: str) -> bool:
        """Whether there is this extension."""
        return extension in self._known

    def goes_on(self, digits: str) -> bool:
        """Whether a longer extension begins so."""
        at = bisect_left(self._extensions, digits)
        while at < len(self._extensions) and (found := self._extensions[at]).startswith(digits):
            if len(found) > len(digits):
                return True
            at += 1
        return False

    def named(self, keys: str, most: int) -> list[Person]:
        """Who is spelled so, or begins so, each once, by name; no more than one beyond `most`.

        Args:
            keys: digits that were pressed; none finds nobody.
            most: how many there may be.
        """
        found: dict[str, Person] = {}
        at = bisect_left(self._spelled, keys, key=lambda each: each[0])
        while keys and at < len(self._spelled) and self._spelled[at][0].startswith(keys) and len(found) <= most:
            person = self._spelled[at][1]
            found.setdefault(person.number, person)
            at += 1
        return sorted(found.values(), key=lambda one: (one.name.casefold(), one.number))


def _ways_to_spell(name: str) -> Iterator[str]:
    """Beginning with each of its words, the others behind it in their order, as in a circle."""
    words = [keys for word in name.split()[:8] if (keys := keys_of(word))]
    for first in range(len(words)):
        yield "".join((*words[first:], *words[:first]))
