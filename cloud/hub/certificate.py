"""The hub's server certificate, issued by the cloud's own CA."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cloud.hub.errors import CertificateUnusable


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate with its private key.

    Args:
        context: for a TLS 1.3 server without client certificates.
        leaf: the first certificate.
        chain: the others.
        key: the private key.
    """

    context: ssl.SSLContext
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: Any = field(repr=False)

    @classmethod
    def load(cls, certificate_path: Path, key_path: Path) -> "ServerCertificate":
        """Read both files.

        Raises:
            CertificateUnusable: a file is missing or not what it should be.
        """
        try:
            leaf, *chain = x509.load_pem_x509_certificates(certificate_path.read_bytes())
            key = load_pem_private_key(key_path.read_bytes(), None)
        except OSError as error:
            raise CertificateUnusable(f"{error.filename} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise CertificateUnusable(f"{certificate_path} or {key_path} is no PEM of the right kind") from error
        if key.public_key() != leaf.public_key():
            raise CertificateUnusable(f"{key_path} is not the key of {certificate_path}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate_path, key_path)
        context.num_tickets = 0
        return cls(context, leaf, tuple(chain), key)
