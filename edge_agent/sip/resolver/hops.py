"""What name look-ups say, and in which order to try what they found (RFC 3263 §4, RFC 2782). Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.sip.message.flow import Flow, Transport

SERVICES: Final[dict[str, Transport]] = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
"""NAPTR services that we can use (RFC 3263 §4.1); WebSocket has no listener at its other end."""
SRV_PREFIXES: Final[dict[Transport, str]] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
DEFAULT_PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True, slots=True)
class Naptr:
    """One NAPTR record (RFC 3403 §4)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One place to send to.

    Args:
        transport: how.
        host: numeric address.
        port: there.
        name: whom we look for; what the certificate of a TLS peer has to be for (RFC 5922 §4).
    """

    transport: Transport
    host: str
    port: int
    name: str

    @property
    def flow(self) -> Flow:
        """The way there. Several names of one peer share a TCP connection to it, since that proves nothing."""
        return Flow(self.transport, self.host, self.port, 0, self.name if self.transport != "tcp" else "")


def usable_naptr(records: Iterable[Naptr], supported: Sequence[Transport]) -> list[tuple[Transport, str]]:
    """Transports with the names of their SRV records, best first (RFC 3263 §4.1)."""
    found: list[tuple[Transport, str]] = []
    for record in sorted(records, key=lambda one: (one.order, one.preference)):
        transport = SERVICES.get(record.service.upper())
        if transport in supported and record.flags.lower() == "s" and transport is not None:
            found.append((transport, record.replacement))
    return found


def in_srv_order(records: Iterable[Srv], fraction: Callable[[], float]) -> list[Srv]:
    """Lowest priority first; within one, drawn in proportion to weight (RFC 2782, p. 3).

    Args:
        records: of one name. A single one with the target `.` says that there is no such service.
        fraction: a number in [0, 1) for each draw.
    """
    by_priority: dict[int, list[Srv]] = {}
    for record in records:
        if record.target.rstrip("."):
            by_priority.setdefault(record.priority, []).append(record)
    ordered: list[Srv] = []
    for _, left in sorted(by_priority.items()):
        # Those of weight 0 stand first, so that they are hardly ever drawn while others are there.
        left.sort(key=lambda one: one.weight)
        while left:
            drawn = fraction() * (sum(one.weight for one in left) + 1)
            at, running = 0, left[0].weight
            while running < int(drawn):
                at += 1
                running += left[at].weight
            ordered.append(left.pop(at))
    return ordered
