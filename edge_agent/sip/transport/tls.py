"""TLS contexts of the SIP transports (RFC 3261 §26.3, RFC 5922): 1.2 and 1.3, reloaded in place."""

from __future__ import annotations

import asyncio.sslproto
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_agent.errors import EdgeError

TLS_BUFFER_BYTES: Final = 16_384
"""One TLS record; asyncio's own buffer of 256 KiB would cost 300 MB for a thousand phones."""


class CertificateUnusable(EdgeError):
    """A certificate, key or list of authorities cannot be used; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class GivenCertificate:
    """A certificate that comes with the configuration.

    Args:
        chain: PEM, the edge's own first.
        key: its private key, PEM; never written to a disk in clear.
    """

    chain: bytes
    key: bytes = field(repr=False)


class TlsIdentity:
    """A certificate with its key, and the authorities whose client certificates count.

    Args:
        certificate: PEM, the chain that is shown.
        key: PEM, without a password.
        client_authorities: PEM; peers that show a certificate by one of these are known (trunks, the site's other
            edge). Phones need not show any. None: no certificate is asked for.

    Raises:
        CertificateUnusable: one of the files is not to be used.
    """

    def __init__(self, certificate: Path, key: Path, client_authorities: Path | None = None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_authorities = client_authorities
        self._given: GivenCertificate | None = None
        self._client_by: dict[str, ssl.SSLContext] = {}
        self._use(None)
        self._stamp = self._files()

    def server(self) -> ssl.SSLContext:
        """For the next connection that is accepted."""
        return self._server

    def web(self) -> ssl.SSLContext:
        """For the next browser: it would bother its user for a certificate, or give up, so none is asked for."""
        return self._web

    def client(self) -> ssl.SSLContext:
        """For the next connection that we open. Names are compared by `Stream`: the rules of SIP are its own."""
        return self._client

    def client_by(self, authorities: str) -> ssl.SSLContext:
        """As `client`, for a peer whose certificate these authorities have to have signed, and no others.

        Args:
            authorities: PEM.

        Raises:
            CertificateUnusable: they are no certificates.
        """
        found = self._client_by.get(authorities)
        if found is None:
            found = self._client_context(self._given)
            try:
                found.load_verify_locations(cadata=authorities)
            except (ssl.SSLError, ValueError) as error:
                raise CertificateUnusable(f"the authorities of a peer: {type(error).__name__}") from error
            self._client_by[authorities] = found
        return found

    def check(self, given: GivenCertificate) -> None:
        """Whether this certificate could be shown; what is shown stays.

        Raises:
            CertificateUnusable: it could not.
        """
        self._contexts(given)

    def give(self, given: GivenCertificate | None) -> bool:
        """Show this certificate from the next connection on; None: that of the files again.

        Returns:
            Whether it is another one than before.

        Raises:
            CertificateUnusable: it cannot be shown; the one before stays in use.
        """
        if given == self._given:
            return False
        self._use(given)
        self._given = given
        return True

    def reload_if_changed(self) -> bool:
        """Take up changed files: new connections get the new certificate, those that stand keep theirs.

        Returns:
            Whether anything was taken up.

        Raises:
            CertificateUnusable: the new files are not to be used; the old certificate stays.
        """
        stamp = self._files()
        if stamp == self._stamp:
            return False
        self._use(self._given)
        self._stamp = stamp
        return True

    def _use(self, given: GivenCertificate | None) -> None:
        self._server, self._web, self._client = self._contexts(given)
        self._client_by.clear()

    def _files(self) -> tuple[tuple[int, int], ...]:
        paths = [path for path in (self._certificate, self._key, self._client_authorities) if path is not None]
        try:
            found = [path.stat() for path in paths]
        except OSError as error:
            raise CertificateUnusable(f"{error.filename}: {error.strerror}") from error
        return tuple((one.st_mtime_ns, one.st_ino) for one in found)

    def _contexts(self, given: GivenCertificate | None) -> tuple[ssl.SSLContext, ssl.SSLContext, ssl.SSLContext]:
        server, web = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context in (server, web):
            self._show(context, given)
        client = self._client_context(given)
        client.load_default_certs()
        if self._client_authorities is not None:
            for context in (server, client):
                try:
                    context.load_verify_locations(self._client_authorities)
                except (OSError, ssl.SSLError) as error:
                    raise CertificateUnusable(f"{self._client_authorities}: {error.strerror or error}") from error
            server.verify_mode = ssl.CERT_OPTIONAL
        return server, web, client

    def _client_context(self, given: GivenCertificate | None) -> ssl.SSLContext:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._show(client, given)
        # Neither wildcards nor the common name count, and a SIP URI does (RFC 5922 §7): see `VerifiedPeer`.
        client.check_hostname = False
        return client

    def _show(self, context: ssl.SSLContext, given: GivenCertificate | None) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A peer that renegotiates over and over would cost us more than itself.
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        if given is not None:
            load_given(context, given)
            return
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise CertificateUnusable(f"{self._certificate}, {self._key}: {error.strerror or error}") from error


def load_given(context: ssl.SSLContext, given: GivenCertificate) -> None:
    """Load from memory: OpenSSL's only way in is a file, and a key has no business on a disk.

    Raises:
        CertificateUnusable: it cannot be used.
    """
    try:
        with _in_memory(given.chain + b"\n" + given.key) as path:
            context.load_cert_chain(path, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise CertificateUnusable(f"the site's certificate: {error.strerror or type(error).__name__}") from error


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    with os.fdopen(os.memfd_create("certificate"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def spare_tls_memory() -> bool:
    """Give each TLS connection of this process a small buffer; for the start, before the first connection.

    Returns:
        False: this Python keeps its buffers elsewhere; then everything works, with more memory.
    """
    protocol = asyncio.sslproto.SSLProtocol
    if not isinstance(getattr(protocol, "max_size", None), int):
        return False
    protocol.max_size = min(protocol.max_size, TLS_BUFFER_BYTES)
    return True
