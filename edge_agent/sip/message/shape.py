"""Which headers a message has, and where: looked through once for all messages whose headers stand in the same order.

A phone writes its headers in one order for each kind of message, so a site sees a few hundred of these.
"""

from __future__ import annotations

from typing import Final

_REMEMBERED: Final = 2048
_LONGEST: Final = 64
"""Header lines; longer messages are not remembered."""
_ONCE: Final = (b"from", b"to", b"call-id", b"cseq")


class Shape:
    """The order of one message's headers; shared, so never to be changed.

    Args:
        names: the canonical name of each line, that of the start line empty.
    """

    __slots__ = ("places", "repeats", "usual")

    def __init__(self, names: tuple[bytes, ...]) -> None:
        # Backwards, since it is the first of those that repeat that counts.
        count = len(names)
        self.places: dict[bytes, int] = dict(zip(reversed(names), range(count - 1, -1, -1), strict=True))
        """Where each header stands first."""
        self.repeats = len(self.places) != count
        """Whether any header stands on more than one line."""
        once = [names.count(name) == 1 for name in _ONCE]
        self.usual = all(once) and b"via" in self.places
        """Whether every header that must be there is there, and once where it may stand once only."""


_shapes: Final[dict[tuple[bytes, ...], Shape]] = {}


def shape_of(names: list[bytes]) -> Shape:
    """The shape of a message with these lines."""
    key = tuple(names)
    known = _shapes.get(key)
    if known is None:
        known = Shape(key)
        if len(key) <= _LONGEST:
            if len(_shapes) >= _REMEMBERED:
                _shapes.clear()
            _shapes[key] = known
    return known
