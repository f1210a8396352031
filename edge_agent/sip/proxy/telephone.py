"""Telephone numbers as Request-URIs (RFC 3966): what the dial plan is asked for."""

from __future__ import annotations

import re
from typing import Final

from edge_agent.sip.message import BadMessage, DropReason, SipError, Uri

_SEPARATORS: Final = re.compile(rb"[-.()]")
_GLOBAL: Final = re.compile(rb"\+[0-9]{1,30}")
_LOCAL: Final = re.compile(rb"[0-9*#A-Fa-f]{1,30}")


def bare(uri: Uri) -> bytes:
    """The digits of a tel URI, whatever its context."""
    return _SEPARATORS.sub(b"", uri.opaque.partition(b";")[0])


def number_of(uri: Uri, domains: frozenset[bytes]) -> bytes:
    """The number that a tel URI names, without what is only there for the eye.

    A local number belongs to its `phone-context`: that has to be this site, or the beginning of a global number; phones
    that leave it out mean the site that they are registered at.

    Args:
        uri: of the scheme `tel`.
        domains: of this site, lower case.

    Raises:
        BadMessage: 400, it is no number.
        SipError: 404, a local number of somebody else.
    """
    number = bare(uri)
    _, semicolon, rest = uri.opaque.partition(b";")
    if _GLOBAL.fullmatch(number) is not None:
        return number
    if _LOCAL.fullmatch(number) is None:
        raise BadMessage(DropReason.BAD_URI, "Malformed Telephone Number")
    context = b""
    for one in rest.split(b";") if semicolon else ():
        name, _, value = one.partition(b"=")
        if name.lower() == b"phone-context":
            context = value.lower()
    if context.startswith(b"+"):
        number = _SEPARATORS.sub(b"", context) + number
        if _GLOBAL.fullmatch(number) is None:
            raise BadMessage(DropReason.BAD_URI, "Malformed Telephone Number")
        return number
    if context and context not in domains:
        raise SipError(404, "Number Of Another Context")
    return number


def as_sip(uri: Uri, domain: bytes, domains: frozenset[bytes]) -> Uri:
    """The sip URI that this site knows the number by.

    Raises:
        BadMessage, SipError: see `number_of`.
    """
    return Uri(domain, number_of(uri, domains).replace(b"#", b"%23"))
