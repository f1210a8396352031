"""STUN messages (RFC 8489): bytes to a `Message` or a named reason to drop, and the answers to a binding request.

Only what connectivity checks need: short-term credentials with HMAC-SHA1, and the fingerprint.
"""

import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from edge_agent.media.embedded.rtp import MAX_BYTES, DropReason

HEADER_BYTES: Final = 20
COOKIE: Final = 0x2112A442
MOST_ATTRIBUTES: Final = 32
BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111
_HEADER: Final = struct.Struct("!HHI12s")
_TYPE: Final = struct.Struct("!HH")
_INTEGRITY_BYTES: Final = 20
_FINGERPRINT_BYTES: Final = 4
_FINGERPRINT_MASK: Final = 0x5354554E
_OPTIONAL: Final = 0x8000
"""Attributes from here on may be passed over (§14)."""


class Attribute(IntEnum):
    """Types of attributes that we know (§18.3, RFC 8445 §16.1)."""

    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


_KNOWN: Final = frozenset(Attribute)


@dataclass(frozen=True, slots=True)
class Message:
    """A STUN message whose fingerprint is right; `genuine` tells whether somebody with the password made it."""

    kind: int
    transaction: bytes
    attributes: tuple[tuple[int, bytes], ...]
    """Those that the integrity covers."""
    signed: bytes
    """What the integrity is made of."""
    integrity: bytes

    def first(self, kind: int) -> bytes | None:
        """The first attribute of a type; further ones are passed over (§14)."""
        return next((value for known, value in self.attributes if known == kind), None)

    @property
    def unknown(self) -> tuple[int, ...]:
        """Types that whoever does not know them must not pass over."""
        return tuple({kind: None for kind, _ in self.attributes if kind < _OPTIONAL and kind not in _KNOWN})

    def genuine(self, password: bytes) -> bool:
        """Whether its integrity is of this password; the comparison takes as long however much of it is right."""
        return hmac.compare_digest(hmac.digest(password, self.signed, "sha1"), self.integrity)


def parse(data: bytes) -> Message | DropReason:
    """Read a datagram; any bytes give a message or one named reason.

    One without MESSAGE-INTEGRITY or FINGERPRINT is none of a connectivity check (RFC 8445 §7.1).
    """
    if len(data) > MAX_BYTES:
        return DropReason.TOO_LONG
    if len(data) < HEADER_BYTES or len(data) % 4:
        return DropReason.TOO_SHORT
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind >> 14 or cookie != COOKIE or length != len(data) - HEADER_BYTES:
        return DropReason.BAD_STUN
    attributes: list[tuple[int, bytes]] = []
    at, integrity_at = HEADER_BYTES, 0
    for _ in range(MOST_ATTRIBUTES):
        if at + _TYPE.size > len(data):
            return DropReason.BAD_STUN
        name, size = _TYPE.unpack_from(data, at)
        value = data[at + _TYPE.size : at + _TYPE.size + size]
        if len(value) != size:
            return DropReason.BAD_STUN
        if name == Attribute.FINGERPRINT:
            if size != _FINGERPRINT_BYTES or at + 8 != len(data) or not integrity_at:
                return DropReason.BAD_STUN
            if int.from_bytes(value) != zlib.crc32(data[:at]) ^ _FINGERPRINT_MASK:
                return DropReason.BAD_STUN
            integrity = data[integrity_at + _TYPE.size : integrity_at + _TYPE.size + _INTEGRITY_BYTES]
            signed = _with_length(data[:integrity_at], integrity_at + _TYPE.size + _INTEGRITY_BYTES)
            return Message(kind, transaction, tuple(attributes), signed, integrity)
        if name == Attribute.MESSAGE_INTEGRITY and not integrity_at:
            if size != _INTEGRITY_BYTES:
                return DropReason.BAD_STUN
            integrity_at = at
        elif not integrity_at:  # what follows the integrity is nobody's word (§14.5)
            attributes.append((name, value))
        at += _TYPE.size + size + -size % 4
    return DropReason.BAD_STUN


def _with_length(message: bytes, end: int) -> bytes:
    """A message's beginning as if it ended at `end` (§14.5)."""
    return message[:2] + (end - HEADER_BYTES).to_bytes(2) + message[4:]


def message(kind: int, transaction: bytes, attributes: Iterable[tuple[int, bytes]], password: bytes) -> bytes:
    """A message with its integrity and fingerprint."""
    body = b"".join(_attribute(name, value) for name, value in attributes)
    data = _HEADER.pack(kind, len(body), COOKIE, transaction) + body
    signed = _with_length(data, len(data) + _TYPE.size + _INTEGRITY_BYTES)
    data += _attribute(Attribute.MESSAGE_INTEGRITY, hmac.digest(password, signed, "sha1"))
    data = _with_length(data, len(data) + _TYPE.size + _FINGERPRINT_BYTES)
    return data + _attribute(Attribute.FINGERPRINT, (zlib.crc32(data) ^ _FINGERPRINT_MASK).to_bytes(4))


def success(request: Message, source: tuple[str, int], password: bytes) -> bytes:
    """The answer that tells where a request came from (§6.3.1)."""
    return message(
        BINDING_SUCCESS,
        request.transaction,
        [(Attribute.XOR_MAPPED_ADDRESS, _mapped(source, request.transaction))],
        password,
    )


def error(request: Message, code: int, reason: str, password: bytes) -> bytes:
    """An answer that refuses a request; of a 420 the attributes that we do not know (§6.3.1)."""
    attributes = [(int(Attribute.ERROR_CODE), bytes((0, 0, code // 100, code % 100)) + reason.encode())]
    if code == 420:
        listed = b"".join(kind.to_bytes(2) for kind in request.unknown)
        attributes.append((Attribute.UNKNOWN_ATTRIBUTES, listed))
    return message(BINDING_ERROR, request.transaction, attributes, password)


def _attribute(name: int, value: bytes) -> bytes:
    return _TYPE.pack(name, len(value)) + value + bytes(-len(value) % 4)


def _mapped(source: tuple[str, int], transaction: bytes) -> bytes:
    address = ipaddress.ip_address(source[0].partition("%")[0])
    if address.version == 6 and address.ipv4_mapped is not None:  # a socket for both families
        address = address.ipv4_mapped
    packed, mask = address.packed, COOKIE.to_bytes(4) + transaction
    hidden = bytes(one ^ other for one, other in zip(packed, mask, strict=False))
    return bytes((0, 1 if address.version == 4 else 2)) + (source[1] ^ COOKIE >> 16).to_bytes(2) + hidden
