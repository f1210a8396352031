"""Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760): values only, no state."""

import re
from collections.abc import Callable
from hashlib import md5, sha256
from typing import Final

from edge_agent.sip.message.errors import BadMessage, DropReason

_PART: Final = re.compile(
    rb'[ \t]*([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",; \t]+))[ \t]*(?:,|$)'
)
_ESCAPED: Final = re.compile(rb"\\(.)")


def _md5(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).hexdigest().encode()


def _sha256(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()


HASHES: Final[dict[bytes, Callable[[bytes], bytes]]] = {b"MD5": _md5, b"SHA-256": _sha256}
"""The algorithms spoken here, by their name in a challenge."""


def parse_credentials(value: bytes) -> dict[bytes, bytes]:
    """The parameters of a `Digest …` value by lower-case name, quotes removed; also for a challenge.

    Raises:
        BadMessage: it is no Digest value.
    """
    scheme, _, rest = value.strip(b" \t").partition(b" ")
    if scheme.lower() != b"digest":
        raise BadMessage(DropReason.BAD_HEADER_VALUE, "Authorization Is Not Digest")
    found: dict[bytes, bytes] = {}
    at, end = 0, len(rest)
    while at < end:
        match = _PART.match(rest, at)
        if match is None or (name := match.group(1).lower()) in found:
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Authorization")
        quoted = match.group(2)
        if quoted is None:
            found[name] = match.group(3)
        else:
            found[name] = _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        at = match.end()
    return found


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """H(username:realm:password), in lower-case hexadecimal: what is stored instead of a password.

    Args:
        algorithm: `MD5` or `SHA-256`.
        username: the digest user name.
        realm: of the site.
        password: in clear.
    """
    return HASHES[algorithm.encode()](f"{username}:{realm}:{password}".encode()).decode()


def response_value(
    algorithm: bytes,
    ha1_hex: bytes,
    method: bytes,
    uri: bytes,
    nonce: bytes,
    nc: bytes = b"",
    cnonce: bytes = b"",
    qop: bytes = b"",
) -> bytes:
    """The `response` that proves knowledge of HA1 (RFC 7616 §3.4.1); without qop as in RFC 2617 §3.2.2.1."""
    digest = HASHES[algorithm]
    ha2 = digest(method + b":" + uri)
    if qop:
        return digest(b":".join((ha1_hex, nonce, nc, cnonce, qop, ha2)))
    return digest(b":".join((ha1_hex, nonce, ha2)))
