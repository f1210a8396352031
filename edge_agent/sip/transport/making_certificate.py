"""Making a certificate that stands on itself; apart from its keeping, since the library that does it takes 8 MB.

`python -m edge_agent.sip.transport.making_certificate NOW UNTIL HOST...` writes it and its key to standard output.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CLOCK_SLACK: Final = timedelta(days=1)


def make_certificate(hosts: Sequence[str], now: datetime, until: datetime) -> tuple[bytes, bytes]:
    """A new certificate and its key, as PEM.

    Args:
        hosts: names and addresses that it is for.
        now: the moment; it counts from a day before.
        until: its end.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (*hosts, "tandem-edge")[0][:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


if __name__ == "__main__":
    moments = (datetime.fromisoformat(text) for text in sys.argv[1:3])
    sys.stdout.buffer.write(b"".join(make_certificate(sys.argv[3:], *moments)))
