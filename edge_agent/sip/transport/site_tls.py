"""Mutual TLS between the edges of one tenant: the tenant's authority and no other, and names of sites.

Whoever connects shows a certificate that the tenant's authority signed for one site, or gets no further than the
handshake; so a connection that stands is proof. Phones and providers never come here: they have ports of their own.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from contract.snapshot import SITE_NAMES
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.tls import CertificateUnusable, GivenCertificate, load_given


class SiteContext(ssl.SSLContext):
    """A context that knows the tenant's authority only; made by `SiteTls`."""


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """What this site proves itself with, and whose word counts for others.

    Args:
        certificate: of this site, by the tenant's authority.
        authority: the tenant's, PEM.
    """

    certificate: GivenCertificate
    authority: str


class SiteTls:
    """The contexts of connections between sites; without an identity nobody is let in, and none is opened."""

    def __init__(self) -> None:
        self._identity: SiteIdentity | None = None
        self._server = _context(ssl.PROTOCOL_TLS_SERVER, None)
        self._client: SiteContext | None = None

    def server(self) -> ssl.SSLContext:
        """For the next connection that is accepted."""
        return self._server

    def client(self) -> ssl.SSLContext | None:
        """For the next one that we open; None: none can be."""
        return self._client

    def check(self, identity: SiteIdentity) -> None:
        """Whether this identity could be used.

        Raises:
            CertificateUnusable: it could not.
        """
        _context(ssl.PROTOCOL_TLS_SERVER, identity)

    def take(self, identity: SiteIdentity | None) -> None:
        """Use this identity from the next connection on.

        Raises:
            CertificateUnusable: it cannot be used; the one before stays.
        """
        if identity == self._identity:
            return
        server = _context(ssl.PROTOCOL_TLS_SERVER, identity)
        self._client = _context(ssl.PROTOCOL_TLS_CLIENT, identity) if identity is not None else None
        self._server, self._identity = server, identity


def _context(protocol: int, identity: SiteIdentity | None) -> SiteContext:
    context = SiteContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # The name of a site is compared by `Stream`.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if identity is not None:
        load_given(context, identity.certificate)
        try:
            context.load_verify_locations(cadata=identity.authority)
        except (ssl.SSLError, ValueError) as error:
            raise CertificateUnusable(f"the tenant's authority: {type(error).__name__}") from error
    return context


def site_name_of(peer: VerifiedPeer | None) -> str:
    """The one site that a certificate is for; empty: none, or several."""
    names = [name for name in peer.dns_names if name.endswith(SITE_NAMES)] if peer is not None else []
    return names[0] if len(names) == 1 else ""
