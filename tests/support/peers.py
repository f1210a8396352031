"""The real programs that tests talk to: which Debian packages bring each, and which may be missing even in CI."""

import importlib.util
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
    "dhclient": "isc-dhcp-client",
    "udhcpc": "udhcpc",
    "nft": "nftables",
    "chromium": "chromium",
    "linphonec": "linphone-cli",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "tshark": "tshark",
    "systemd-analyze": "systemd",
    "kamailio": "kamailio kamailio-tls-modules",
    "espeak-ng": "espeak-ng",
    "gcc": "gcc libc6-dev",
    "python3-config": "python3-dev python3-venv",
    "rtpengine": "rtpengine-daemon",
    "dovecot": "dovecot-imapd",
    "pdfimages": "poppler-utils",
}
"""Program → Debian packages."""

MODULES: Final = frozenset({"pjsua2"})
"""Peers that are Python packages of the development environment."""

OPTIONAL_IN_CI: Final = frozenset({"terraform", "pjsua2", "freeswitch"})
"""What Debian does not package, and what has no wheel for every Python that is supported."""


def missing(program: str) -> bool:
    """Whether `program` is not on this machine."""
    if program in MODULES:
        return importlib.util.find_spec(program) is None
    return shutil.which(program) is None
