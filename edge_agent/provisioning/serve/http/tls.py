"""The certificate that phones see, and the factory certificates by which phones are known."""

import logging
import re
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from edge_agent.provisioning.errors import ProvisioningError

logger: Final = logging.getLogger(__name__)

_MAC = re.compile(r"(?<![0-9a-f])([0-9a-f]{2}([:-]?)[0-9a-f]{2}(?:\2[0-9a-f]{2}){4})(?![0-9a-f])", re.IGNORECASE)
_FORGIVEN_SECONDS: Final = 600.0
_MAX_FORGIVEN: Final = 4096


class CertificateUnusable(ProvisioningError):
    """A certificate, key or authority cannot be used; the text says which file and why."""


class PhoneTls:
    """TLS for phones: 1.2 and 1.3.

    Args:
        certificate: PEM, the chain that is shown.
        key: PEM, without a password.
        authorities: a folder with the vendors' certificate authorities, one or more PEM files; where it has any, phones
            are asked for their factory certificate, and need not show one.

    Raises:
        CertificateUnusable: certificate or key cannot be used.
    """

    def __init__(self, certificate: Path, key: Path, authorities: Path | None = None) -> None:
        self._certificate, self._key, self._authorities = certificate, key, authorities
        self._plain = self._asking = self._context()
        self._forgiven: OrderedDict[str, float] = OrderedDict()
        self.problems: tuple[str, ...] = ()
        """Files of the folder that are no authorities."""
        self.load()

    def load(self) -> None:
        """Take up what the files hold now; a file that cannot be used is named in `problems` and passed over.

        Raises:
            CertificateUnusable: certificate or key cannot be used; what was there stays.
        """
        plain, asking = self._context(), self._context()
        found, problems = 0, []
        for file in sorted(self._authorities.glob("*.pem")) if self._authorities is not None else ():
            try:
                asking.load_verify_locations(file)
                found += 1
            except (OSError, ssl.SSLError) as error:
                problems.append(f"{file.name}: {error.strerror or error}")
        if found:
            asking.verify_mode = ssl.CERT_OPTIONAL
        self._plain, self._asking = plain, asking if found else plain
        self.problems = tuple(problems)
        for problem in problems:
            logger.warning("vendor_authority_unusable", extra={"problem": problem})

    def context(self, address: str, now: float) -> ssl.SSLContext:
        """For the next connection of this address."""
        until = self._forgiven.get(address)
        return self._plain if until is not None and now < until else self._asking

    def not_ours(self, address: str, now: float) -> None:
        """A phone showed a certificate of an authority that is not installed: next time it is asked for none."""
        self._forgiven[address] = now + _FORGIVEN_SECONDS
        self._forgiven.move_to_end(address)
        if len(self._forgiven) > _MAX_FORGIVEN:
            self._forgiven.popitem(last=False)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise CertificateUnusable(f"{self._certificate}, {self._key}: {error.strerror or error}") from error
        return context


def mac_in(certificate: Mapping[str, Any] | None) -> str:
    """The MAC address in a certificate that was checked (`SSLSocket.getpeercert`); empty when there is none.

    Vendors write it into the common name, alone or after the model, or into the serial number of the subject.
    """
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name in ("commonName", "serialNumber") and (found := _MAC.search(str(value))):
                return re.sub("[:-]", "", found[1]).lower()
    return ""
