"""Parts of a representation: the header Range (RFC 9110 §14.2), of which one range of bytes is understood."""

import re
from typing import Final, Literal

MAX_PART_BYTES: Final = 1024 * 1024
"""In one answer; who asks for more gets this much, and asks for the rest."""
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def asked_part(header: str | None, size: int) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The first and the last byte that are to be given.

    Args:
        header: value of the header; None: there was none.
        size: of the whole, in bytes.

    Returns:
        None where the whole is meant: no header, or one that asks for several ranges or makes no sense, which is to
        be ignored (§14.2).
    """
    found = _RANGE.fullmatch(header.strip()) if header is not None else None
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        length = int(found[2])
        first, last = max(0, size - length), size - 1
        if length == 0:
            return "unsatisfiable"
    else:
        first, last = int(found[1]), int(found[2]) if found[2] else size - 1
        if last < first and found[2]:
            return None
    if first >= size:
        return "unsatisfiable"
    return first, min(last, size - 1, first + MAX_PART_BYTES - 1)
