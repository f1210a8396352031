"""Who the peer of a TLS connection proved to be (RFC 5922 §7): read once, when its certificate has been verified."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import dataclass
from typing import Final, Literal, cast

Anchors = Literal["client_authorities", "any_authorities"]
"""Whose word it is: `client_authorities` are those of the setting `sip.tls_client_authorities` and no other, as for
every connection that was accepted; `any_authorities` are those and the machine's, as for connections that we opened."""

_SIP_DOMAIN: Final = re.compile(r"sip:([A-Za-z0-9.-]+)")
"""A URI names a domain when it names no user (RFC 5922 §7.1)."""


@dataclass(frozen=True, slots=True)
class VerifiedPeer:
    """What a verified certificate says of its owner.

    Args:
        anchors: which authorities it was verified by.
        dns_names: its names, lower case: `dNSName` and SIP domains of `uniformResourceIdentifier`. The common name
            does not count.
        addresses: its numeric addresses.
    """

    anchors: Anchors
    dns_names: frozenset[str]
    addresses: frozenset[str]

    def is_for(self, name: str) -> bool:
        """Whether it is this name or numeric address; letter for letter, no wildcards (RFC 5922 §7.2)."""
        return name.lower().rstrip(".") in self.dns_names or _address(name) in self.addresses


def verified_peer(found: object, anchors: Anchors) -> VerifiedPeer | None:
    """The peer of a connection whose handshake is done.

    Args:
        found: the transport's `ssl_object`.
        anchors: what its context trusts.

    Returns:
        None: it is not encrypted, or the peer showed no certificate.
    """
    if not isinstance(found, (ssl.SSLObject, ssl.SSLSocket)) or found.context.verify_mode is ssl.CERT_NONE:
        return None
    certificate = found.getpeercert()
    if not certificate:
        return None
    names: set[str] = set()
    addresses: set[str] = set()
    for kind, value in cast("tuple[tuple[str, str], ...]", certificate.get("subjectAltName", ())):
        if kind == "DNS":
            names.add(value.lower().rstrip("."))
        elif kind == "URI" and (domain := _SIP_DOMAIN.fullmatch(value)) is not None:
            names.add(domain[1].lower().rstrip("."))
        elif kind == "IP Address":
            addresses.add(_address(value))
    return VerifiedPeer(anchors, frozenset(names), frozenset(addresses))


def _address(text: str) -> str:
    """One way of writing each address; anything else as it is."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text
