"""Whose a request from outside is: by the token of a registration, a certificate, or the address that it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from edge_agent.sip.message import BadMessage, Flow, Message
from edge_agent.sip.resolver import is_numeric
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.trunks.account import Account
from edge_agent.sip.trunks.registration import TOKEN, Registration

PeerOf = Callable[[Flow], VerifiedPeer | None]
"""Who the peer of a connection proved to be."""

_Networks = tuple[IPv4Network | IPv6Network, ...]


class Origins:
    """Finds the trunk of a request.

    Args:
        accounts: by trunk id.
        registrations: of those that register.
        peer_of: asked for encrypted connections only.
    """

    def __init__(
        self, accounts: Mapping[str, Account], registrations: Mapping[str, Registration], peer_of: PeerOf
    ) -> None:
        self._accounts = accounts
        self._registrations = registrations
        self._peer_of = peer_of
        self._networks = {one: _networks_of(account) for one, account in accounts.items()}
        self._learned: dict[str, set[str]] = {}
        """By address: trunks whose requests it answered, where they are given by name."""

    def learn(self, trunk_id: str, address: str) -> None:
        """A request of this trunk to its provider's name was answered from there."""
        if trunk_id in self._accounts and is_numeric(address) and len(self._learned) < 1000:
            self._learned.setdefault(address, set()).add(trunk_id)

    def of(self, request: Message) -> str | None:
        """The id of the trunk that a request came by; None: it is a stranger's."""
        try:
            uri = request.request_uri()
        except BadMessage:
            return None
        token = uri.params.get(TOKEN) or b""
        for trunk_id, registration in self._registrations.items():
            if registration.is_token(token):
                return trunk_id
        found = self._by_certificate(request.flow) or self._by_address(request.flow.host)
        if len(found) < 2:
            return found[0] if found else None
        # Several accounts at one provider: the one that is called, by its name or by its domain.
        names = {uri.user, *self._users_called(request)}
        for trunk_id in found:
            if (self._accounts[trunk_id].trunk.username or "").encode() in names:
                return trunk_id
        return found[0]

    def _users_called(self, request: Message) -> Iterable[bytes]:
        try:
            return (request.address(b"to").uri.user,)
        except BadMessage:
            return ()

    def _by_certificate(self, flow: Flow) -> list[str]:
        if flow.transport != "tls":
            return []
        peer = self._peer_of(flow)
        if peer is None or peer.anchors != "client_authorities":
            return []
        names = frozenset(peer.dns_names)
        return [one for one, account in self._accounts.items() if not names.isdisjoint(account.trunk.certificate_names)]

    def _by_address(self, host: str) -> list[str]:
        if not is_numeric(host):
            return []
        address = ip_address(host.partition("%")[0])
        learned = self._learned.get(host, set())
        return [
            one
            for one, networks in self._networks.items()
            if one in learned or any(address in network for network in networks)
        ]


def _networks_of(account: Account) -> _Networks:
    trunk = account.trunk
    hosts = [host for host in (trunk.host, trunk.outbound_proxy) if host is not None and is_numeric(host)]
    return tuple(ip_network(one) for one in (*trunk.networks, *hosts))
