"""How a call that was sent on came here, told to whom it reaches: Diversion (RFC 5806), History-Info (RFC 7044)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from contract.dialplan import Diversion
from contract.dialplan.steps import DiversionReason
from edge_agent.sip.message import Message, escaped_user

_CAUSES: Final[dict[DiversionReason, bytes]] = {
    "unconditional": b"302",
    "user-busy": b"486",
    "do-not-disturb": b"486",
    "no-answer": b"408",
    "unavailable": b"480",
    "follow-me": b"408",
}
"""SIP causes that RFC 4458 §3.2 and RFC 7044 §7.2 have for these."""
_INDEX: Final = re.compile(rb";\s*index\s*=\s*([0-9]{1,3}(?:\.[0-9]{1,3}){0,20})")


@dataclass(frozen=True, slots=True)
class Diverted:
    """How a call came to one place.

    Args:
        diversions: the first one first.
        domain: of the site.
        reached: URI of whom the call reaches now.
    """

    diversions: tuple[Diversion, ...]
    domain: bytes
    reached: bytes

    def write(self, request: Message) -> None:
        """Put it into an INVITE, besides what other hops told."""
        uris = [b"sip:" + escaped_user(one.name) + b"@" + self.domain for one in self.diversions]
        at = request.index(b"diversion")
        at = at if at > 0 else request.index(b"via") + 1
        for uri, one in zip(uris, self.diversions, strict=True):
            # The newest on top (RFC 5806 §5).
            request.insert(at, b"Diversion", b"<" + uri + b">;reason=" + one.reason.encode() + b";counter=1")
        indexes = [found[1] for value in request.all(b"history-info") for found in _INDEX.finditer(value)]
        before = indexes[-1] if indexes else b""
        index = before + b".1" if before else b"1"
        for uri, one in zip(uris, self.diversions, strict=True):
            caused = b"<" + uri + b"?Reason=SIP%3Bcause%3D" + _CAUSES[one.reason] + b">"
            request.append(b"History-Info", _entry(caused, index, before))
            before, index = index, index + b".1"
        request.append(b"History-Info", _entry(b"<" + self.reached + b">", index, before))


def _entry(address: bytes, index: bytes, before: bytes) -> bytes:
    return address + b";index=" + index + (b";mp=" + before if before else b"")
