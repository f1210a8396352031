"""Sessions in which nothing is said, for calls that only ask a phone to call somebody else.

Nothing is sent either way, so keys and fingerprints in them are nobody's: they are there for phones that take no
session without.
"""

from __future__ import annotations

from typing import Final

from edge_agent.sip.answering import is_browser
from edge_agent.sip.location import Binding

_SESSION: Final = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
_CODECS: Final = b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
PLAIN: Final = _SESSION + b"m=audio 9 RTP/AVP 0 8\r\n" + _CODECS
SECURE: Final = (
    _SESSION
    + b"m=audio 9 RTP/SAVP 0 8\r\n"
    + _CODECS
    + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
    + b"A" * 40
    + b"\r\n"
)
FOR_BROWSERS: Final = (
    _SESSION
    + b"a=group:BUNDLE 0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\n"
    + _CODECS
    + b"a=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\na=fingerprint:sha-256 "
    + b":".join([b"00"] * 32)
    + b"\r\na=ice-ufrag:none\r\na=ice-pwd:"
    + b"n" * 22
    + b"\r\na=end-of-candidates\r\n"
)


def silences(binding: Binding) -> tuple[bytes, ...]:
    """What a phone may be called with, one after the other until it does not refuse its form."""
    return (FOR_BROWSERS,) if is_browser(binding.contact, binding.flow) else (PLAIN, SECURE)
