"""STUN binding requests on a SIP flow, as phones behind NAT send to keep it open (RFC 5626 §4.4.2, RFC 5389 §7.3.1).

Without I/O. SIP and STUN share the port: a STUN message begins with two zero bits, a SIP message with a letter.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Final

_HEADER: Final = struct.Struct("!HH4s12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_MAGIC: Final = b"\x21\x12\xa4\x42"
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_BINDING_ERROR: Final = 0x0111
_XOR_MAPPED_ADDRESS: Final = 0x0020
_ERROR_CODE: Final = 0x0009
_UNKNOWN_ATTRIBUTES: Final = 0x000A
_OPTIONAL: Final = 0x8000
_LONGEST: Final = 548
"""A keep-alive has a few bytes; nothing longer is answered."""
_ATTRIBUTES_LISTED: Final = 8


class NotStun(Exception):
    """It looked like STUN, and is none that is answered here."""


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN rather than SIP (RFC 5764 §5.1.2)."""
    return len(data) >= _HEADER.size and data[0] < 2 and data[4:8] == _MAGIC


def stun_answer(data: bytes, host: str, port: int) -> bytes:
    """The answer to a binding request: where it came from, as seen here.

    It is never much longer than the request, so nobody gains by forging the source.

    Raises:
        NotStun: it is no binding request, or malformed.
    """
    kind, length, _, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_REQUEST or length % 4 or length != len(data) - _HEADER.size or len(data) > _LONGEST:
        raise NotStun
    unknown = _unknown_attributes(data)
    if unknown:
        listed = b"".join(struct.pack("!H", one) for one in unknown[:_ATTRIBUTES_LISTED])
        reason = b"Unknown Attribute"
        code = struct.pack("!HBB", 0, 4, 20) + reason
        return _message(
            _BINDING_ERROR, transaction, _attribute(_ERROR_CODE, code) + _attribute(_UNKNOWN_ATTRIBUTES, listed)
        )
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if address.version == 6 else None
    packed = (mapped or address).packed
    mask = _MAGIC + transaction
    hidden = bytes(one ^ other for one, other in zip(packed, mask, strict=False))
    family = 1 if len(packed) == 4 else 2
    value = struct.pack("!BBH", 0, family, port ^ 0x2112) + hidden
    return _message(_BINDING_SUCCESS, transaction, _attribute(_XOR_MAPPED_ADDRESS, value))


def _unknown_attributes(data: bytes) -> list[int]:
    """Attributes that would have to be understood; RFC 5626 §8 lets a keep-alive have none."""
    found: list[int] = []
    at = _HEADER.size
    while at < len(data):
        if at + _ATTRIBUTE.size > len(data):
            raise NotStun
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size + (length + 3) // 4 * 4
        if at > len(data):
            raise NotStun
        if kind < _OPTIONAL:
            found.append(kind)
    return found


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _message(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    return _HEADER.pack(kind, len(attributes), _MAGIC, transaction) + attributes
