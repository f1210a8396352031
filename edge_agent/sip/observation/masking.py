"""Secrets out of messages that people are shown; everything keeps its length, so that Content-Length stays true."""

from __future__ import annotations

import re
from typing import Final

_HEADERS_END: Final = b"\r\n\r\n"
_CREDENTIALS: Final = re.compile(rb"(\r\n(?:proxy-)?authorization[ \t]*:)((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)
_DIGEST: Final = re.compile(rb"\s*digest\s", re.IGNORECASE)
_RESPONSE: Final = re.compile(rb"(\bresponse\s*=\s*\"?)([^\",\s]+)", re.IGNORECASE)
_PASSWORD: Final = re.compile(rb"(\bsips?:[^@\s:;<>\"]{1,255}:)([^@\s<>\"]{1,255})(?=@)", re.IGNORECASE)
"""RFC 3261 §19.1.1 advises against it, and some do it all the same."""
_PROOF: Final = re.compile(rb"(;lr;[tc]=)([0-9a-f]+)((?:;c=)?)([0-9a-f]*)")
"""The token of our own Record-Route: whoever has it speaks within the dialog."""
_TYPE: Final = re.compile(rb"\r\n(?:content-type|c)[ \t]*:[ \t]*([^\r\n;]*)", re.IGNORECASE)
_KEYS: Final = re.compile(
    rb"^((?:a=crypto:\d+ [^ \r\n]+ (?:inline:)?|a=key-mgmt:|a=ice-pwd:|k=))([^\r\n]*)", re.MULTILINE | re.IGNORECASE
)
"""RFC 4568 §9.1 (SDES), RFC 4567 §3 (MIKEY), RFC 8839 §5.4, RFC 4566 §5.12."""
_HARMLESS: Final = frozenset(
    {
        b"application/sdp",
        b"multipart/mixed",
        b"multipart/related",
        b"multipart/alternative",
        b"message/sipfrag",
        b"application/simple-message-summary",
        b"application/dialog-info+xml",
        b"application/reginfo+xml",
        b"application/pidf+xml",
        b"application/rlmi+xml",
    }
)
"""Bodies that explain a call. What people write each other, and the digits that they press, is not shown."""
_UNREADABLE: Final = re.compile(rb"[^\r\n]")
_HIDDEN: Final = b"x"
"""A letter that every grammar takes where a secret was, base64 among them."""


def masked(data: bytes) -> bytes:
    """A message without what would let its reader act as somebody else or listen in, of the same length."""
    head, end, body = data.partition(_HEADERS_END)
    start, line_end, headers = head.partition(b"\r\n")
    headers = _CREDENTIALS.sub(_mask_credentials, line_end + headers)
    head = _PASSWORD.sub(_mask_second, start + headers)
    head = _PROOF.sub(lambda found: found[1] + _hidden(found[2]) + found[3] + _hidden(found[4]), head)
    return head + end + _masked_body(head, body)


def _masked_body(head: bytes, body: bytes) -> bytes:
    found = _TYPE.search(head)
    kind = found[1].strip().lower() if found is not None else b"application/sdp"
    if kind not in _HARMLESS:
        return _UNREADABLE.sub(_HIDDEN, body)
    return _KEYS.sub(_mask_second, body)


def _mask_credentials(found: re.Match[bytes]) -> bytes:
    value = found[2]
    if _DIGEST.match(value):
        return found[1] + _RESPONSE.sub(_mask_second, value)
    scheme = re.match(rb"\s*\S*\s*", value)
    keep = scheme.end() if scheme is not None else 0
    return found[1] + value[:keep] + _UNREADABLE.sub(_HIDDEN, value[keep:])


def _mask_second(found: re.Match[bytes]) -> bytes:
    return found[1] + _hidden(found[2])


def _hidden(text: bytes) -> bytes:
    return _HIDDEN * len(text)
