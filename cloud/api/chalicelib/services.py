"""What the composition root hands to the handlers; each is chosen once, in app.py."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from cloud.api.chalicelib.listening_tickets import ListeningTickets
from cloud.api.chalicelib.tokens import AccessTokens
from cloud.clock import Clock
from cloud.pbx.authentication import Gate
from cloud.pbx.blobs import Files
from cloud.pbx.database import Database
from cloud.pbx.secrets import KeyService
from cloud.tokens import Tokens
from contract.devices import Catalogue


@dataclass(frozen=True, slots=True)
class HubAddress:
    """Where an enrolled edge connects."""

    host: str
    quic_port: int
    websocket_url: str


@dataclass(frozen=True, slots=True)
class Ca:
    """The cloud's certificate authority as edges know it; its private key is not needed here.

    Args:
        certificate_pem: its certificate.
        fingerprint: SHA-256 of the certificate (DER), lower-case hexadecimal.
    """

    certificate_pem: str
    fingerprint: str

    @classmethod
    def of(cls, pem: str) -> "Ca":
        """The first certificate of a PEM text; a private key beside it is left alone.

        Raises:
            ValueError: there is no certificate in it.
        """
        certificate = x509.load_pem_x509_certificate(pem.encode())
        text = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return cls(text, certificate.fingerprint(hashes.SHA256()).hex())


@dataclass(frozen=True, slots=True)
class Services:
    """The tools of every request.

    Args:
        gate: what logging in needs.
        catalogue: the device models that can be configured.
        ca: whom new edges learn to trust.
        hub: where an enrolled edge connects.
        enrollment_url: where new edges enroll, such as `https://cloud.example:8443`.
        files: where large files are kept; None: nowhere, and firmware cannot be brought.
        insecure_webhooks: endpoints may be plain http (labs and tests).
        installer_url: where install.sh is fetched.
    """

    database: Database
    clock: Clock
    tokens: Tokens
    access: AccessTokens
    listening: ListeningTickets
    gate: Gate
    keys: KeyService
    catalogue: Catalogue
    ca: Ca
    hub: HubAddress
    enrollment_url: str
    installer_url: str
    files: Files | None = None
    insecure_webhooks: bool = False
