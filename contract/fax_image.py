"""The pages of a fax as its file has them: TIFF of bilevel images in the codings of ITU-T T.4 and T.6 (RFC 2301).

Only what is needed to count pages and to put their coded data elsewhere is read; nothing is decoded. The data is
hostile: directories, strips and sizes are bounded, and a file that is cut off has the pages before the cut.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_PAGES: Final = 1000
MAX_STRIPS: Final = 4096
"""Of one page."""
MAX_ALL_STRIPS: Final = 20_000
"""Of all pages; a receiver writes one for each page."""
MAX_SIDE: Final = 100_000
"""Columns or rows of one page."""
_MAX_ENTRIES: Final = 256
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
"""Bytes of a value, by the field's type (TIFF 6.0, section 2)."""
_WIDTH, _LENGTH, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 259, 262, 266
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES = 273, 278, 279
_X_RESOLUTION, _Y_RESOLUTION, _T4_OPTIONS, _UNIT = 282, 283, 292, 296
_T4, _T6 = 3, 4
_READ: Final = {
    _STRIP_OFFSETS: MAX_STRIPS,
    _STRIP_BYTES: MAX_STRIPS,
    **dict.fromkeys((_WIDTH, _LENGTH, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _STRIP_ROWS), 1),
    **dict.fromkeys((_X_RESOLUTION, _Y_RESOLUTION, _T4_OPTIONS, _UNIT), 1),
}
"""The fields that are read, and how many values of each there may be."""
_CENTIMETRES: Final = 3
_MILLIMETRES_PER_INCH: Final = 25.4
_USUAL_DPI: Final = (204.0, 196.0)


class BadFax(ValueError):
    """The file is no fax that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Some rows of a page, coded on their own.

    Args:
        rows: how many.
        data: as the file has it.
    """

    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Args:
        columns: pixels of a row.
        strips: the rows, from the top.
        is_t6: coded by T.6 (MMR), else by T.4 (MH or MR).
        two_dimensional: of T.4: rows may refer to the one before (MR).
        aligned: of T.4: each row ends with a byte.
        low_bit_first: in each byte the lowest bit comes first.
        ones_are_black: how decoded bits are to be read, where 0 is usual for fax: black.
        dpi: dots per inch, across and down.
    """

    columns: int
    strips: tuple[Strip, ...]
    is_t6: bool
    two_dimensional: bool
    aligned: bool
    low_bit_first: bool
    ones_are_black: bool
    dpi: tuple[float, float]


def count_pages(data: bytes) -> int:
    """How many whole pages a file has before anything else; 0: none, or it is no fax."""
    found = 0
    with contextlib.suppress(BadFax):
        for _ in _pages(data):
            found += 1
    return found


def pages_of(data: bytes) -> tuple[Page, ...]:
    """Every whole page of a file.

    Raises:
        BadFax: it is no TIFF, has no whole page, or pages in other codings than those of fax.
    """
    found = tuple(_pages(data))
    if not found:
        raise BadFax("there is no whole page in it")
    return found


def _pages(data: bytes) -> Iterator[Page]:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise BadFax("it is no TIFF file")
    if len(data) < 8:
        raise BadFax("it ends within its beginning")
    at, seen = _number(data, 4, 4, order), set[int]()
    coded = strips = 0
    while at and len(seen) < MAX_PAGES and at not in seen:
        seen.add(at)
        try:
            fields, at = _directory(data, at, order)
            sizes = fields.get(_STRIP_BYTES, ())
            coded, strips = coded + int(sum(sizes)), strips + len(sizes)
            if coded > len(data) or strips > MAX_ALL_STRIPS:
                raise BadFax(f"its pages have {coded} bytes in {strips} parts, of {len(data)} bytes in all")
            yield _page(data, fields)
        except _CutOff:
            return


class _CutOff(Exception):
    """The file ends before what it refers to."""


def _number(data: bytes, at: int, size: int, order: str) -> int:
    if at < 0 or at + size > len(data):
        raise _CutOff
    return int(struct.unpack_from(order + {1: "B", 2: "H", 4: "I"}[size], data, at)[0])


def _directory(data: bytes, at: int, order: str) -> tuple[dict[int, tuple[float, ...]], int]:
    """The fields of an image, and where the next image's are; 0: nowhere."""
    count = _number(data, at, 2, order)
    if count > _MAX_ENTRIES:
        raise BadFax(f"an image with {count} fields")
    fields: dict[int, tuple[float, ...]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = _number(data, entry, 2, order), _number(data, entry + 2, 2, order)
        how_many, size = _number(data, entry + 4, 4, order), _SIZES.get(kind)
        if size is None or tag in fields or not 0 < how_many <= _READ.get(tag, 0):
            continue
        place = entry + 8 if size * how_many <= 4 else _number(data, entry + 8, 4, order)
        fields[tag] = tuple(_value(data, place + size * one, size, order) for one in range(how_many))
    return fields, _number(data, at + 2 + 12 * count, 4, order)


def _value(data: bytes, at: int, size: int, order: str) -> float:
    if size < 8:
        return _number(data, at, size, order)
    return _number(data, at, 4, order) / (_number(data, at + 4, 4, order) or 1)


def _page(data: bytes, fields: dict[int, tuple[float, ...]]) -> Page:
    def first(tag: int, usual: float) -> float:
        return fields.get(tag, (usual,))[0]

    columns, rows = int(first(_WIDTH, 0)), int(first(_LENGTH, 0))
    compression = int(first(_COMPRESSION, 1))
    if not 0 < columns <= MAX_SIDE or not 0 < rows <= MAX_SIDE:
        raise BadFax(f"a page of {columns} by {rows}")
    if compression not in (_T4, _T6):
        raise BadFax(f"a page in the coding {compression}, which is not that of fax")
    options = int(first(_T4_OPTIONS, 0))
    return Page(
        columns,
        tuple(_strips(data, fields, rows)),
        compression == _T6,
        compression == _T4 and bool(options & 1),
        compression == _T4 and bool(options & 4),
        int(first(_FILL_ORDER, 1)) == 2,
        int(first(_PHOTOMETRIC, 0)) == 1,
        _dpi(first(_X_RESOLUTION, 0), first(_Y_RESOLUTION, 0), int(first(_UNIT, 2))),
    )


def _strips(data: bytes, fields: dict[int, tuple[float, ...]], rows: int) -> Iterator[Strip]:
    offsets, sizes = fields.get(_STRIP_OFFSETS, ()), fields.get(_STRIP_BYTES, ())
    of_each = min(rows, int(fields.get(_STRIP_ROWS, (rows,))[0]) or rows)
    if not offsets or len(offsets) != len(sizes) or (len(offsets) - 1) * of_each >= rows:
        raise BadFax(f"a page of {rows} rows in {len(offsets)} parts of {of_each}")
    for number, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
        begin, end = int(offset), int(offset) + int(size)
        if end > len(data):
            raise _CutOff
        last = number == len(offsets) - 1
        yield Strip(rows - number * of_each if last else of_each, data[begin:end])


def _dpi(across: float, down: float, unit: int) -> tuple[float, float]:
    factor = _MILLIMETRES_PER_INCH / 10 if unit == _CENTIMETRES else 1.0
    found = (across * factor, down * factor)
    return found if all(10 <= one <= 10_000 for one in found) else _USUAL_DPI
