"""Header names: every spelling that is seen on the wire leads to one lower-case long name."""

import re
from typing import Final

from edge_agent.sip.message.characters import CR, LF
from edge_agent.sip.message.errors import BadMessage, DropReason, LineEndInHeader

COMPACT: Final = {
    b"a": b"accept-contact",
    b"b": b"referred-by",
    b"c": b"content-type",
    b"d": b"request-disposition",
    b"e": b"content-encoding",
    b"f": b"from",
    b"i": b"call-id",
    b"j": b"reject-contact",
    b"k": b"supported",
    b"l": b"content-length",
    b"m": b"contact",
    b"o": b"event",
    b"r": b"refer-to",
    b"s": b"subject",
    b"t": b"to",
    b"u": b"allow-events",
    b"v": b"via",
    b"x": b"session-expires",
}
"""RFC 3261 §7.3.3 and the IANA registry of SIP header fields."""

TOKEN: Final = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+")
"""RFC 3261 §25.1 `token`."""

_CACHE_LIMIT: Final = 2048
CANONICAL: Final[dict[bytes, bytes]] = {}
"""What `canonical` found before, bounded; for the parser's inner loop. Keys are as spelled, with the colon."""


def canonical(name: bytes) -> bytes:
    """The lower-case long form of a header name as it was spelled, white space before the colon included.

    Raises:
        BadMessage: it is no token.
    """
    key = name + b":"
    known = CANONICAL.get(key)
    if known is not None:
        return known
    bare = name.rstrip(b" \t").lower()
    if TOKEN.fullmatch(bare) is None:
        raise BadMessage(DropReason.BAD_HEADER_LINE, "Malformed Header Line")
    long = COMPACT.get(bare, bare)
    if len(CANONICAL) < _CACHE_LIMIT and len(name) <= 64:
        CANONICAL[key] = long
    return long


def one_line(line: bytes) -> bytes:
    """A line of a head, as it is.

    Raises:
        LineEndInHeader: it would be more than one.
    """
    if LF in line or CR in line:
        raise LineEndInHeader
    return line
