"""Does the certificate that SIP phones see end soon?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from cryptography import x509

from edge_agent.clock import Clock
from edge_agent.health.check import Finding

_SOON: Final = timedelta(days=30)
_VERY_SOON: Final = timedelta(days=7)


class CertificateExpiry:
    """The end of the certificate in use, and of everything in its chain.

    Args:
        file: the certificate that is shown where the site has none; need not be there.
        chain: PEM of the site's own, which goes before; None: it has none.
        clock: the moment.
    """

    alarm = "certificate_expiry"

    def __init__(self, file: Path, chain: Callable[[], bytes | None], clock: Clock) -> None:
        self._file = file
        self._chain = chain
        self._clock = clock

    def run(self) -> Finding | None:
        """A finding from 30 days before the end; critical in the last week."""
        chain = self._chain()
        try:
            content = chain if chain is not None else self._file.read_bytes()
            ends = min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(content))
        except (OSError, ValueError):
            # Not there yet, or no certificate: whoever loads it says so.
            return None
        left = ends - self._clock.now()
        if left > _SOON:
            return None
        when = f"ends on {ends:%Y-%m-%d}" if left > timedelta(0) else f"ended on {ends:%Y-%m-%d}"
        way = (
            "have one issued or bring a new one at the site" if chain is not None else f"put a new one at {self._file}"
        )
        severity: Literal["warning", "critical"] = "warning" if left > _VERY_SOON else "critical"
        return Finding(severity, f"the certificate for SIP by TLS {when}; {way}")
