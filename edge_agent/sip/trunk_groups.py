"""How a trunk is named between the proxy and the user agent of trunks: as a trunk group in a user part (RFC 4904)."""

from __future__ import annotations

from typing import Final

from edge_agent.sip.message import BadMessage, Message, NameAddr, Uri, escaped_user
from edge_agent.sip.message.name_addr import parse_params

_GROUP: Final = ";tgrp="
_CONTEXT: Final = b";trunk-context="
TARGET_DIALOG: Final = b"target-dialog"
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


def target_dialog(call_id: bytes, local_tag: bytes, remote_tag: bytes) -> bytes:
    """The value of a Target-Dialog (RFC 4538 §7): the call that an INVITE of the trunks' user agent transfers."""
    return call_id + b";local-tag=" + local_tag + b";remote-tag=" + remote_tag


def target_dialog_of(request: Message) -> tuple[bytes, bytes, bytes] | None:
    """Call-ID and both tags of the call that such an INVITE transfers, taken out of it; None: it transfers none."""
    value = request.get(TARGET_DIALOG)
    if value is None:
        return None
    request.remove(TARGET_DIALOG)
    call_id, semicolon, rest = value.partition(b";")
    try:
        params = parse_params(semicolon + rest, "Target-Dialog")
    except BadMessage:
        return None
    return call_id.strip(), params.get(b"local-tag") or b"", params.get(b"remote-tag") or b""


def number_and_trunk(uri: Uri) -> tuple[str, str]:
    """What `user_at` was made of: number and trunk id; an empty id where none is named."""
    number, _, rest = uri.dialled.partition(_GROUP)
    return number, rest.partition(";")[0]
