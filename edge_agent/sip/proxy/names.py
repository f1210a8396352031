"""Whom phones are shown as the caller, where From names somebody else or nobody."""

from __future__ import annotations

from dataclasses import dataclass

from contract.dialplan import CompiledPlan
from edge_agent.sip.message import BadMessage, Message, NameAddr
from edge_agent.sip.proxy.identity import ASSERTED


@dataclass(frozen=True, slots=True)
class Shown:
    """Who calls.

    Args:
        address: From without its tag.
        inside_only: whether it is none of the business of who is beyond the site.
    """

    address: bytes
    inside_only: bool


def quoted(name: str) -> bytes:
    """A display name (RFC 3261 §25.1 `quoted-string`), with the space behind it; empty for an empty one."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '.encode() if name else b""


def from_phonebook(request: Message, number: str, plan: CompiledPlan) -> Shown | None:
    """A caller from outside by the name that the phonebook has for him, which goes before what he calls himself; his
    asserted identity gets it, too.

    Args:
        request: an INVITE from outside.
        number: that it shows.
        plan: with the phonebook.

    Returns:
        None: nobody is known by that number.
    """
    name = plan.names.of(number)
    if not name:
        return None
    try:
        caller = request.address(b"from")
        if request.has(ASSERTED):
            asserted = [NameAddr.parse(one, "P-Asserted-Identity").uri.text for one in request.values(ASSERTED)]
            request.remove(ASSERTED)
            for uri in asserted:
                request.append(b"P-Asserted-Identity", quoted(name) + b"<" + uri + b">")
    except BadMessage:
        return None
    return Shown(quoted(name) + b"<" + caller.uri.text + b">", inside_only=True)
