"""Certificates for tests: an authority of the test's own, and what it signs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


class Authority:
    """Signs certificates into a folder; `file` is its own."""

    def __init__(self, folder: Path, name: str = "an authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        made = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = made.add_extension(usage, True).sign(self._key, hashes.SHA256())
        self._identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(
        self, host: str, file: str = "peer", names: Sequence[str] | None = None, days: int = 36_500
    ) -> tuple[Path, Path]:
        """A certificate for a name, address or URI: the files of certificate and key.

        Args:
            host: the common name, and the only other one unless `names` are given.
            file: what the files are called.
            names: what the certificate is for.
            days: how long it is valid from `BEGIN` on.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        general = [_general(one) for one in ([host] if names is None else names)]
        built = self._builder(_name(host), key, days)
        if general:
            built = built.add_extension(x509.SubjectAlternativeName(general), False)
        certificate = built.add_extension(self._identifier, False).sign(self._key, hashes.SHA256())
        paths = self._folder / f"{file}.pem", self._folder / f"{file}.key"
        paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 36_500
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(BEGIN).not_valid_after(BEGIN + timedelta(days=days))
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)


def _general(host: str) -> x509.GeneralName:
    if host.startswith(("sip:", "sips:", "http:")):
        return x509.UniformResourceIdentifier(host)
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
