"""Fax files: TIFF with pages coded as fax is, written by hand."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """A page; `strips` are its coded parts, `rows` of each."""

    columns: int = 1728
    rows: int = 8
    strips: tuple[bytes, ...] = (b"\xff",)
    compression: int = 4
    low_bit_first: bool = False
    photometric: int = 0
    options: int | None = None


def tiff(*sheets: Sheet, order: str = "<") -> bytes:
    """A file with these pages, one white one where none is given."""
    data = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + b"\0" * 4)
    link = 4
    for sheet in sheets or (Sheet(),):
        places = []
        for strip in sheet.strips:
            places.append(len(data))
            data += strip + b"\0" * (len(strip) % 2)
        resolution = len(data)
        data += struct.pack(order + "4I", 204, 1, 196, 1)
        offsets, sizes = _longs(data, places, order), _longs(data, [len(one) for one in sheet.strips], order)
        count = len(sheet.strips)
        fields = [
            (256, 3, 1, sheet.columns),
            (257, 4, 1, sheet.rows * count),
            (259, 3, 1, sheet.compression),
            (262, 3, 1, sheet.photometric),
            (266, 3, 1, 2 if sheet.low_bit_first else 1),
            (273, 4, count, offsets),
            (278, 4, 1, sheet.rows),
            (279, 4, count, sizes),
            (282, 5, 1, resolution),
            (283, 5, 1, resolution + 8),
            *([(292, 4, 1, sheet.options)] if sheet.options is not None else []),
            (296, 3, 1, 2),
        ]
        struct.pack_into(order + "I", data, link, len(data))
        data += struct.pack(order + "H", len(fields))
        for tag, kind, how_many, value in fields:
            data += struct.pack(order + "HHI", tag, kind, how_many)
            data += struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
        link = len(data)
        data += b"\0" * 4
    return bytes(data)


def _longs(data: bytearray, values: list[int], order: str) -> int:
    """Where several numbers stand, or the one itself."""
    if len(values) == 1:
        return values[0]
    place = len(data)
    data += struct.pack(f"{order}{len(values)}I", *values)
    return place
