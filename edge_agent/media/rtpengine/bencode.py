"""Bencoding (BEP 3), as far as rtpengine's control protocol uses it: numbers, byte strings, lists, dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

MAX_BYTES: Final = 65_507
"""What a UDP datagram over IPv4 holds."""
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 20_000
_MAX_DIGITS: Final = 20

Value = int | bytes | list["Value"] | dict[bytes, "Value"]
"""What was decoded."""
Encodable = int | str | bytes | Sequence["Encodable"] | Mapping[str, "Encodable"]
"""What is encoded; text goes as UTF-8."""


class BadBencode(ValueError):
    """Bytes that are no value; the text says what is wrong with them and does not repeat them."""


def encoded(value: Encodable) -> bytes:
    """A value as bytes; the keys of dictionaries in their order."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, Mapping):
        pairs = sorted((key.encode(), one) for key, one in value.items())
        return b"d" + b"".join(encoded(key) + encoded(one) for key, one in pairs) + b"e"
    return b"l" + b"".join(encoded(one) for one in value) + b"e"


def decoded(data: bytes) -> Value:
    """The one value that these bytes are.

    Keys may stand in any order, which rtpengine's do; of one that stands twice the last counts.

    Raises:
        BadBencode: they are none, are followed by more, or are larger, deeper or more than is taken.
    """
    if len(data) > MAX_BYTES:
        raise BadBencode(f"more than {MAX_BYTES} bytes")
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise BadBencode("something follows the value")
    return value


class _Reader:
    __slots__ = ("_data", "_values", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._values = 0
        self.at = 0

    def value(self, depth: int) -> Value:
        self._values += 1
        if self._values > MAX_VALUES:
            raise BadBencode(f"more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise BadBencode(f"values in values, more than {MAX_DEPTH} deep")
        kind = self._data[self.at : self.at + 1]
        if kind.isdigit():
            return self._text()
        self.at += 1
        match kind:
            case b"i":
                return self._number(b"e")
            case b"l":
                found: list[Value] = []
                while not self._ends():
                    found.append(self.value(depth + 1))
                return found
            case b"d":
                table: dict[bytes, Value] = {}
                while not self._ends():
                    if not self._data[self.at : self.at + 1].isdigit():
                        raise BadBencode("a key that is no byte string")
                    key = self._text()
                    table[key] = self.value(depth + 1)
                return table
            case _:
                raise BadBencode("the beginning of no value")

    def _ends(self) -> bool:
        if self._data[self.at : self.at + 1] == b"e":
            self.at += 1
            return True
        if self.at >= len(self._data):
            raise BadBencode("it ends within a value")
        return False

    def _text(self) -> bytes:
        length = self._number(b":")
        text = self._data[self.at : self.at + length]
        if length < 0 or len(text) < length:
            raise BadBencode("it ends within a byte string")
        self.at += length
        return text

    def _number(self, end: bytes) -> int:
        until = self._data.find(end, self.at, self.at + _MAX_DIGITS + 1)
        digits = self._data[self.at : until] if until >= 0 else b""
        if not digits.removeprefix(b"-").isdigit():
            raise BadBencode("a number that is none")
        self.at = until + 1
        return int(digits)
