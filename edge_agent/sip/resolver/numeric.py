"""From a URI to a flow, at once: numeric hosts, and names left to the transport."""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from edge_agent.sip.message import Flow, SipError, Uri
from edge_agent.sip.message.flow import TO_A_NAME, TO_A_NAME_ANYHOW, Transport

_IPV4: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_TRANSPORTS: Final[dict[bytes, Transport]] = {b"udp": "udp", b"tcp": "tcp", b"tls": "tls"}
_LONGEST_ADDRESS: Final = 64
DEFAULT_PORT: Final = 5060
DEFAULT_TLS_PORT: Final = 5061
UDP_LIMIT_BYTES: Final = 1300
"""A request longer than this should not go by UDP (RFC 3261 §18.1.1)."""


class Unresolvable(SipError):
    """A URI whose host cannot be turned into an address here."""

    def __init__(self, reason: str = "Unresolvable Destination") -> None:
        super().__init__(478, reason)


def is_numeric(host: str) -> bool:
    """Whether `host` (without brackets) is an IPv4 or IPv6 address."""
    return len(host) <= _LONGEST_ADDRESS and _is_address(host)


@lru_cache(maxsize=8192)
def _is_address(host: str) -> bool:
    if _IPV4.fullmatch(host) is None and ":" not in host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def flow_for(uri: Uri) -> Flow:
    """As `flow_to`, but a name gives a flow to that name, which the transport looks up (RFC 3263) and never waits for.

    For requests that leave the site. Without transport and port in the URI the name's owner chooses the transport by
    NAPTR and SRV records (RFC 3263 §4.1); `udp` in the flow then means nothing yet.

    Raises:
        Unresolvable: a transport that is not spoken here.
    """
    kind, host = _way(uri)
    if is_numeric(host):
        return flow_to(uri)
    anyhow = not uri.transport and not uri.port
    return Flow(kind, host.lower(), uri.port, TO_A_NAME_ANYHOW if anyhow else TO_A_NAME)


def flow_to(uri: Uri) -> Flow:
    """Where a request with this next hop goes.

    Args:
        uri: a sip URI whose host (or `maddr`) is numeric.

    Raises:
        Unresolvable: a name, or a transport that is not spoken here.
    """
    kind, host = _way(uri)
    if not is_numeric(host):
        raise Unresolvable("Host Names Are Not Resolved")
    return Flow(kind, host, uri.port or (DEFAULT_TLS_PORT if kind == "tls" else DEFAULT_PORT))


def _way(uri: Uri) -> tuple[Transport, str]:
    """Transport and host."""
    transport = uri.transport or b"udp"
    kind = _TRANSPORTS.get(transport)
    if kind is None or uri.scheme != b"sip":
        # Nobody can connect to a browser: `ws` has no listener at its other end (RFC 7118 §5).
        raise Unresolvable("Transport Not Supported")
    maddr = uri.params.get(b"maddr")
    host = maddr.strip(b"[]").decode("ascii") if maddr else uri.address
    return kind, host
