"""Keys for secure RTP in a session description (SDES, RFC 4568): which of theirs is taken, and how ours is said.

Who can read the description can decrypt the call, so it is worth as much as the TLS that it comes over.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

KEY_BYTES: Final = 30
"""A master key of 128 bits and a master salt of 112."""
_TAG_BYTES: Final = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}
_ATTRIBUTE: Final = re.compile(r"(\d{1,9})[ \t]+([A-Za-z0-9_]{1,64})[ \t]+inline:([A-Za-z0-9+/=]{40})(\|[0-9^]{1,32})?")
"""One key, with or without a lifetime. With an MKI, several keys or a session parameter it is another that we take."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What two sides of a stream encrypt with: each its own key with its salt, 30 bytes."""

    tag_bytes: int
    """How much of the HMAC each packet carries: 10 or 4."""
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Crypto:
    """An a=crypto line that we can do."""

    tag: str
    suite: str
    key: bytes = field(repr=False)

    def answered(self, ours: bytes) -> tuple[str, SrtpKeys]:
        """The attribute of our answer, with our own key, and what both will use."""
        attribute = f"crypto:{self.tag} {self.suite} inline:{base64.b64encode(ours).decode()}"
        return attribute, SrtpKeys(_TAG_BYTES[self.suite], ours, self.key)


def offered(keys: SrtpKeys) -> str:
    """The attribute by which we offer what a call goes by."""
    suite = next(name for name, size in _TAG_BYTES.items() if size == keys.tag_bytes)
    return f"crypto:1 {suite} inline:{base64.b64encode(keys.ours).decode()}"


def chosen(attributes: Iterable[tuple[str, str]]) -> Crypto | None:
    """The first a=crypto of a media section that we can do (§5.1.2); None when there is none."""
    for name, value in attributes:
        if name != "crypto" or (found := _ATTRIBUTE.fullmatch(value)) is None or found[2] not in _TAG_BYTES:
            continue
        try:
            return Crypto(found[1], found[2], base64.b64decode(found[3], validate=True)[:KEY_BYTES])
        except binascii.Error:
            continue
    return None
