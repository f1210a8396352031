"""Is a certificate with its key fit to be shown by an edge? Everything that is wrong is named at once."""

import ipaddress
import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import SecretStr

from cloud.pbx.checks import Problems

MAX_CERTIFICATES: Final = 8
_LEAST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 4096
_LABEL: Final = r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?"
_HOST_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_MAX_HOST_NAME: Final = 253

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class GoodCertificate:
    """A chain and a key that belong together, written in one way."""

    chain: str
    key: SecretStr = field(repr=False)


def is_host_name(text: str) -> bool:
    """Whether this is a host name or a numeric address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= _MAX_HOST_NAME and _HOST_NAME.fullmatch(text) is not None
    return True


def checked_certificate(
    problems: Problems, chain: str, key: SecretStr, domain: str, now: datetime
) -> GoodCertificate | None:
    """A certificate as it may be shown; None, with the reasons in `problems`, when it may not.

    Args:
        problems: gets what is wrong, of the fields `certificate` and `key`.
        chain: PEM, the certificate first, then what leads to its authority; the authority itself may be there.
        key: PEM without a password.
        domain: one of the certificate's names has to be this, or under it.
        now: the moment in UTC.
    """
    private = _key(problems, key)
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
        first = certificates[0]
        names = _names(first)
    except (ValueError, IndexError, UnsupportedAlgorithm):
        problems.add("certificate", "This is no certificate in PEM")
        return None
    if len(certificates) > MAX_CERTIFICATES:
        problems.add("certificate", f"At most {MAX_CERTIFICATES} certificates, from the site's own to its authority's")
        return None
    _check_times(problems, certificates, now)
    _check_chain(problems, certificates)
    _check_use(problems, first)
    if not any(name == domain or name.endswith(f".{domain}") for name in names):
        problems.add("certificate", f"None of its alternative names is {domain}, or a host under it")
    if private is None:
        return None
    if _public_bytes(first.public_key()) != _public_bytes(private.public_key()):
        problems.add("key", "This is not the key of the certificate")
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
    return GoodCertificate(whole.decode(), SecretStr(pem.decode()))


def _key(problems: Problems, key: SecretStr) -> PrivateKey | None:
    try:
        private = serialization.load_pem_private_key(key.get_secret_value().encode(), password=None)
    except TypeError:
        problems.add("key", "The key has a password; take it off first")
        return None
    except (ValueError, UnsupportedAlgorithm):
        problems.add("key", "This is no private key in PEM")
        return None
    if isinstance(private, rsa.RSAPrivateKey) and _LEAST_RSA_BITS <= private.key_size <= _MOST_RSA_BITS:
        return private
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1 | ec.SECP384R1):
        return private
    problems.add("key", "Phones know RSA keys of 2048 to 4096 bits and ECDSA keys on P-256 and P-384")
    return None


def _names(certificate: x509.Certificate) -> set[str]:
    """DNS names, and domains of SIP URIs (RFC 5922 §7.1), lower case."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    names = alternative.get_values_for_type(x509.DNSName)
    uris = alternative.get_values_for_type(x509.UniformResourceIdentifier)
    domains = (uri[len("sip:") :] for uri in uris if uri.startswith("sip:") and "@" not in uri)
    return {name.lower().rstrip(".") for name in (*names, *domains)}


def _check_times(problems: Problems, certificates: list[x509.Certificate], now: datetime) -> None:
    for number, one in enumerate(certificates, 1):
        if one.not_valid_after_utc <= now:
            problems.add("certificate", f"Certificate {number} ended on {one.not_valid_after_utc:%Y-%m-%d}")
        if one.not_valid_before_utc > now:
            problems.add("certificate", f"Certificate {number} begins on {one.not_valid_before_utc:%Y-%m-%d}")


def _check_chain(problems: Problems, certificates: list[x509.Certificate]) -> None:
    for number, (one, above) in enumerate(itertools.pairwise(certificates), 1):
        try:
            one.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            problems.add("certificate", f"Certificate {number} was not signed by the one that follows it")
        if not _is_authority(above):
            problems.add("certificate", f"Certificate {number + 1} may not sign others")


def _check_use(problems: Problems, first: x509.Certificate) -> None:
    if _is_authority(first):
        problems.add("certificate", "The first certificate is an authority's, not a server's")
    try:
        usages = first.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usages):
        problems.add("certificate", "It is not meant for a TLS server")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return b""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
