"""A certificate of the edge's own, so that calls can be encrypted before anybody has thought of certificates."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge_agent.durable_file import write_durably
from edge_agent.sip.transport.tls import CertificateUnusable, TlsIdentity

OWN_CERTIFICATE: Final = "sip-tls.pem"
OWN_KEY: Final = "sip-tls.key"
_OWN_ABOUT: Final = "sip-tls.json"
"""What is known of the certificate, so that it need not be taken apart at each start."""
_VALID: Final = timedelta(days=3650)
_MAKER: Final = "edge_agent.sip.transport.making_certificate"
_MAKING_SECONDS: Final = 60.0
_RENEW_BEFORE: Final = timedelta(days=60)


def keep_own_certificate(folder: Path, hosts: Iterable[str], now: datetime) -> bool:
    """Have a certificate of this edge's own in `folder`; a new one, when it is missing, damaged, nearly over or for
    other hosts.

    Phones that check certificates need one from an authority that they know instead, by setting.

    Args:
        folder: where `OWN_CERTIFICATE` and `OWN_KEY` are.
        hosts: names and addresses that phones reach this edge at.
        now: the moment.

    Returns:
        Whether a new one was made.

    Raises:
        CertificateUnusable: none could be made.
        OSError: it cannot be written.
    """
    wanted = tuple(dict.fromkeys(host for host in hosts if host))
    if _still_good(folder, wanted, now):
        return False
    until = now + _VALID
    certificate, key = _made_elsewhere(wanted, now, until)
    # What tells of it comes last: until then the others count as damaged, and are made again.
    write_durably(folder / OWN_KEY, key)
    write_durably(folder / OWN_CERTIFICATE, certificate)
    write_durably(folder / _OWN_ABOUT, json.dumps(_about(certificate, wanted, until)).encode())
    return True


def _made_elsewhere(hosts: Iterable[str], now: datetime, until: datetime) -> tuple[bytes, bytes]:
    """Certificate and key by a process of its own: what makes them takes 8 MB, which this one would keep.

    Raises:
        CertificateUnusable: none came.
    """
    command = (sys.executable, "-m", _MAKER, now.isoformat(), until.isoformat(), *hosts)
    try:
        made = subprocess.run(command, capture_output=True, check=True, timeout=_MAKING_SECONDS)  # noqa: S603 - ours
    except (OSError, subprocess.SubprocessError) as error:
        raise CertificateUnusable(f"a certificate of our own could not be made: {type(error).__name__}") from error
    certificate, start, rest = made.stdout.partition(b"-----BEGIN PRIVATE KEY-----")
    return certificate, start + rest


def _about(certificate: bytes, hosts: Iterable[str], until: datetime) -> dict[str, object]:
    return {
        "sha256": hashlib.sha256(certificate).hexdigest(),
        "hosts": sorted(hosts),
        "until": until.isoformat(),
    }


def _still_good(folder: Path, wanted: tuple[str, ...], now: datetime) -> bool:
    try:
        about = json.loads((folder / _OWN_ABOUT).read_bytes())
        until = datetime.fromisoformat(about["until"])
        if about != _about((folder / OWN_CERTIFICATE).read_bytes(), wanted, until) or now >= until - _RENEW_BEFORE:
            return False
        TlsIdentity(folder / OWN_CERTIFICATE, folder / OWN_KEY)
    except (OSError, ValueError, TypeError, KeyError, CertificateUnusable):
        return False
    return True
