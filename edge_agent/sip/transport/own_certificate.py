"""A certificate of the edge's own, so that calls can be encrypted before anybody has thought of certificates."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_agent.sip.transport.tls import CertificateUnusable, TlsIdentity

OWN_CERTIFICATE: Final = "sip-tls.pem"
OWN_KEY: Final = "sip-tls.key"
_VALID: Final = timedelta(days=3650)
_RENEW_BEFORE: Final = timedelta(days=60)
_CLOCK_SLACK: Final = timedelta(days=1)


def own_certificate(folder: Path, hosts: Iterable[str], now: datetime) -> tuple[bytes, bytes] | None:
    """A certificate of this edge's own, when the one in `folder` is missing, damaged, nearly over or for other hosts.

    Phones that check certificates need one from an authority that they know instead, by setting.

    Args:
        folder: where `OWN_CERTIFICATE` and `OWN_KEY` are.
        hosts: names and addresses that phones reach this edge at.
        now: the moment.

    Returns:
        What to write to `OWN_CERTIFICATE` and `OWN_KEY`; None: those that are there will do.
    """
    wanted = tuple(dict.fromkeys(host for host in hosts if host))
    if _still_good(folder, wanted, now):
        return None
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (wanted or ("tandem-edge",))[0][:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    if wanted:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in wanted]), False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _still_good(folder: Path, wanted: tuple[str, ...], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / OWN_CERTIFICATE).read_bytes())
        TlsIdentity(folder / OWN_CERTIFICATE, folder / OWN_KEY)
    except (OSError, ValueError, CertificateUnusable):
        return False
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEW_BEFORE:
        return False
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return not wanted
    return set(names) == {_general(host) for host in wanted}


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
