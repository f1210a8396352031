"""Whom the site trusts: the one place that says so, for requests, answers and where they go.

By address: the site's own services and gateways, and peers that the site names. By certificate: edges of the tenant's
other sites (`site_tls`), and peers that the site names, on connections that they opened and proved themselves on by an
authority of ours; what a public authority says counts for nothing here. Never by a header. What a certificate is for
was read when its connection stood.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from contract.snapshot import SiteLink, TrustedPeer
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Flow
from edge_agent.sip.resolver.numeric import is_numeric
from edge_agent.sip.transport.peer import VerifiedPeer

_REMEMBERED: Final = 4096
"""Addresses whose place among the peers' networks need not be looked for again."""

PeerOf = Callable[[Flow], VerifiedPeer | None]
"""Who the peer of a connection proved to be."""


class Trust:
    """Tells whether a flow leads to somebody trusted.

    Args:
        config: of the site.
        peer_of: asked for encrypted connections only.
    """

    def __init__(self, config: SipConfig, peer_of: PeerOf) -> None:
        self._peer_of = peer_of
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._services = config.trusted
        self._gateways = config.gateways
        self._peers = [(_networks(peer), peer.port) for peer in config.peers if peer.networks]
        self._names = frozenset(name for peer in config.peers for name in peer.certificate_names)
        self._sites = {
            one.certificate_name: one.gateway_id for one in config.plan.gateways.values() if isinstance(one, SiteLink)
        }
        self._ports: dict[str, frozenset[int]] = {}
        """Of addresses that were looked for: the ports of the peers there, 0 for any; empty: none is there."""

    def covers(self, flow: Flow) -> bool:
        """Whether what comes from there needs no digest and may assert who calls, and what goes there may name him."""
        if (flow.host, flow.port) in self._services or self._gateways.at(flow) is not None:
            return True
        if flow.name and self.site_at(flow) is not None:
            return True
        if self._peers:
            ports = self._ports.get(flow.host)
            if ports is None:
                ports = self._found(flow.host)
            if ports and (flow.reliable or 0 in ports or flow.port in ports):
                return True
        return bool(self._names) and flow.transport in ("tls", "wss") and self._proved(flow)

    def site_at(self, flow: Flow) -> str | None:
        """The gateway that stands for the other site at the end of a connection: its certificate says which."""
        return self._sites.get(flow.name) if flow.name and flow.transport == "tls" else None

    def is_service(self, flow: Flow) -> bool:
        """Whether a voice service of the site is there."""
        return (flow.host, flow.port) in self._services

    def _found(self, host: str) -> frozenset[int]:
        ports: frozenset[int] = frozenset()
        if is_numeric(host):
            address = ip_address(host.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            ports = frozenset(port for networks, port in self._peers if any(address in one for one in networks))
        if len(self._ports) >= _REMEMBERED:
            self._ports.clear()
        self._ports[host] = ports
        return ports

    def _proved(self, flow: Flow) -> bool:
        peer = self._peer_of(flow)
        if peer is None or peer.anchors != "client_authorities":
            return False
        return not self._names.isdisjoint(peer.dns_names)


def _networks(peer: TrustedPeer) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network) for network in peer.networks)
