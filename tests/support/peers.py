"""The real programs that tests talk to: which Debian packages bring each, and which may be missing even in CI."""

import shutil
from typing import Final

PACKAGES: Final = {
    "sipp": "sip-tester",
    "baresip": "baresip",
    "openssl": "openssl",
    "tftp": "tftp-hpa",
    "curl": "curl",
    "atftp": "atftp",
    "dnsmasq": "dnsmasq-base",
    "kea-dhcp4": "kea-dhcp4-server",
    "lftp": "lftp",
    "chromium": "chromium",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "tshark": "tshark",
    "systemd-analyze": "systemd",
    "kamailio": "kamailio kamailio-tls-modules",
    "gcc": "gcc libc6-dev",
    "python3-config": "python3-dev python3-venv",
}
"""Program → Debian packages."""

OPTIONAL_IN_CI: Final = frozenset({"terraform"})
"""Programs that Debian does not package."""


def missing(program: str) -> bool:
    """Whether `program` is not on this machine."""
    return shutil.which(program) is None
