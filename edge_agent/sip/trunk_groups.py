"""How a trunk is named between the proxy and the user agent of trunks: as a trunk group in a user part (RFC 4904)."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.message import BadMessage, Message, NameAddr, Uri, escaped_user

_GROUP: Final = ";tgrp="
_CONTEXT: Final = b";trunk-context="
SERVED_USER: Final = b"p-served-user"
"""Whose permissions a call has that a trunk's user agent places for a transfer (RFC 5502)."""


def user_at(number: str, trunk_id: str, domain: str) -> bytes:
    """A number at a trunk, as user part of a URI (RFC 4904 §4)."""
    return escaped_user(number) + f"{_GROUP}{trunk_id}".encode() + _CONTEXT + domain.encode()


def trunk_of(request: Message) -> str:
    """The trunk that an INVITE of the trunks' user agent came by: its Contact says so; empty: none is named."""
    try:
        contacts = request.values(b"contact")
        return number_and_trunk(NameAddr.parse(contacts[0], "Contact").uri)[1] if contacts else ""
    except BadMessage:
        return ""


def served_user_of(request: Message) -> Uri | None:
    """Whose permissions an INVITE of the trunks' user agent has, taken out of it; None: nobody's."""
    value = request.get(SERVED_USER)
    if value is None:
        return None
    request.remove(SERVED_USER)
    try:
        return NameAddr.parse(value, "P-Served-User").uri
    except BadMessage:
        return None


def number_and_trunk(uri: Uri) -> tuple[str, str]:
    """What `user_at` was made of: number and trunk id; an empty id where none is named."""
    number, _, rest = uri.dialled.partition(_GROUP)
    return number, rest.partition(";")[0]
