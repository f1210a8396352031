"""Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760): values only, no state."""

import re
from collections.abc import Callable
from hashlib import blake2s, md5, sha256
from typing import Final

from edge_agent.sip.message.errors import BadMessage, DropReason

_PART: Final = re.compile(
    rb'[ \t]*([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",; \t]+))[ \t]*(?:,|$)'
)
_USUAL: Final = re.compile(rb'([A-Za-z0-9_-]+)=(?:"([^"\\]*)"|([^",; \t]+))(?:, *|$)')
_ALL_USUAL: Final = re.compile(rb'(?:[A-Za-z0-9_-]+=(?:"[^"\\]*"|[^",; \t]+)(?:, *|$))+')
"""Without spaces round `=` and without escapes, as phones write it."""
_ESCAPED: Final = re.compile(rb"\\(.)")


def _md5(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).hexdigest().encode()


def _sha256(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()


_KEY_BYTES: Final = 32
"""As much as BLAKE2s takes."""
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
    if _ALL_USUAL.fullmatch(rest) is not None:
        parts = _USUAL.findall(rest)
        found = {name.lower(): quoted or plain for name, quoted, plain in parts}
        if len(found) != len(parts):
            raise BadMessage(DropReason.BAD_HEADER_VALUE, "Malformed Authorization")
        return found
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


def keyed_digest(key: bytes, text: bytes, digits: int) -> bytes:
    """Proof that whoever wrote `text` had the key: keyed BLAKE2s (RFC 7693 §2.9), a fifth of what HMAC-SHA-256 costs.

    Args:
        key: secret, of any length.
        text: what is proven.
        digits: even, at most 64; of the hexadecimal result.
    """
    if len(key) > _KEY_BYTES:
        key = blake2s(key).digest()
    return blake2s(text, key=key, digest_size=digits // 2).hexdigest().encode()


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
