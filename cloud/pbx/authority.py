"""The cloud's own certificate authority: what edges trust, and nothing else.

Made once and kept; it signs the TLS certificates of API and hub. Edges know it by its fingerprint.
"""

import hashlib
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud.errors import CloudError

_AUTHORITY_DAYS = 20 * 365
LEAF_DAYS = 397
_CLOCK_SKEW = timedelta(days=1)
"""Certificates begin earlier, because a new machine's clock may be wrong."""


class AuthorityUnreadable(CloudError):
    """What is kept of the certificate authority is not a key and a certificate."""


class AuthorityStore(Protocol):
    """Where the authority's private key and certificate are kept, as PEM text."""

    def load(self) -> bytes | None:
        """What was kept, or None."""
        ...

    def keep(self, pem: bytes) -> bytes:
        """Keep `pem` unless something is kept already; what is kept now."""
        ...


class FileAuthorityStore:
    """A file that only its owner may read.

    Args:
        path: the file; its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        return self._path.read_bytes() if self._path.exists() else None

    def keep(self, pem: bytes) -> bytes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, self._path)  # only one of several processes that start at once wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return self._path.read_bytes()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A server's certificate with its private key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


class Authority:
    """The certificate authority, ready to sign."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def open(cls, store: AuthorityStore, now: datetime) -> Self:
        """The authority that is kept; made and kept when there is none.

        Raises:
            AuthorityUnreadable: what is kept is something else.
        """
        pem = store.load() or store.keep(_new_authority(now))
        return cls.from_pem(pem, pem)

    @property
    def certificate_pem(self) -> str:
        """What edges trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate (DER), lower-case hexadecimal."""
        return hashlib.sha256(self._certificate.public_bytes(serialization.Encoding.DER)).hexdigest()

    @classmethod
    def new(cls, name: str, now: datetime) -> Self:
        """Another authority, of somebody's own; keeping its `pem` is the caller's business.

        Args:
            name: its common name.
            now: the moment in UTC.
        """
        pem = _new_authority(now, name)
        return cls.from_pem(pem, pem)

    @classmethod
    def from_pem(cls, key_pem: bytes, certificate_pem: bytes) -> Self:
        """An authority that was kept.

        Raises:
            AuthorityUnreadable: what was kept is something else.
        """
        try:
            key = serialization.load_pem_private_key(key_pem, password=None)
            certificate = x509.load_pem_x509_certificate(certificate_pem)
        except ValueError as exc:
            raise AuthorityUnreadable(AuthorityUnreadable.__doc__) from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityUnreadable(AuthorityUnreadable.__doc__)
        return cls(key, certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key, to be kept as a secret."""
        return _key_pem(self._key)

    def issue(self, names: Sequence[str], now: datetime, days: int = LEAF_DAYS, *, client: bool = False) -> Leaf:
        """A certificate for a TLS server.

        Args:
            names: host names and IP addresses by which it is reached; the first is its common name.
            now: the moment in UTC.
            days: how long it is valid.
            client: whether it is good for a TLS client, too.
        """
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if client else [])]
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([_alternative_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Leaf(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def _new_authority(now: datetime, common_name: str = "Tandem Cloud CA") -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
