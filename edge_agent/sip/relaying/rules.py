"""Whether the media of a call between two phones goes through the relay, by where each of them is.

| | at the site | behind a NAT | elsewhere, with an address of its own |
| --- | --- | --- | --- |
| at the site | direct | relayed | relayed, where the one at the site has a private address |
| behind a NAT | | relayed; direct behind the same one, in one network there, if the site wants it | relayed |
| elsewhere | | | direct |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from contract.snapshot import MediaException, RelayMedia
from edge_agent.sip.relaying.addresses import Address, is_local, numeric

_ONE_NETWORK = {4: 24, 6: 64}
"""Bits that two addresses behind one NAT have in common when they seem to be in one network."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a call.

    Args:
        host: the address that its messages come from, or that it is reached at.
        inner: the address that it names itself, where it is another: it is behind a NAT; empty: it knows its own.
        user_id: whose phone it is.
        device_id: which.
        service: whether it is no phone but a service, trunk or gateway of the site, which is at the site wherever its
            address is.
        gateway_id: which gateway it is, of those that are trusted; None: it is none.
    """

    host: str
    inner: str = ""
    user_id: str | None = None
    device_id: str | None = None
    service: bool = False
    gateway_id: str | None = None


@dataclass(frozen=True, slots=True)
class MediaRules:
    """When media is relayed, and at which addresses of ours.

    Args:
        relay: as the site has it.
        exceptions: users and devices that have it otherwise.
        local_networks: of the site; empty: every private address is the site's.
        direct_behind_one_nat: see `SipPolicy`.
        inside: the relay's addresses as phones at the site reach them, one of a family; none: nothing is relayed.
        outside: the same for remote phones; none: they are told the same.
    """

    relay: RelayMedia = "never"
    exceptions: tuple[MediaException, ...] = ()
    local_networks: tuple[str, ...] = ()
    direct_behind_one_nat: bool = True
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    _networks: tuple[IPv4Network | IPv6Network, ...] = field(init=False, repr=False, compare=False)
    _of: dict[str, RelayMedia] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_networks", tuple(ip_network(one) for one in self.local_networks))
        found = {one.device_id or one.user_id or "": one.relay_media for one in self.exceptions}
        object.__setattr__(self, "_of", found)

    @property
    def relays(self) -> bool:
        """Whether anything may ever be relayed."""
        return bool(self.inside) and (self.relay != "never" or any(mode != "never" for mode in self._of.values()))

    def is_remote(self, host: str) -> bool:
        """Whether an address is none of the site's own networks."""
        address = numeric(host)
        return address is not None and not self._is_at_site(address)

    def wanted(self, one: End, other: End) -> bool:
        """Whether media between these two goes through the relay."""
        modes = (self._mode(one), self._mode(other))
        if "always" in modes:
            return True
        return "never" not in modes and not self._may_be_direct(one, other)

    def host_for(self, end: End, six: bool | None) -> str:
        """The relay's address as this end is told it, of the family that it speaks."""
        remote = not end.service and self.is_remote(end.host)
        hosts = self.outside if remote and self.outside else self.inside
        wanted = six if six is not None else ":" in end.host
        return next((host for host in hosts if (":" in host) == wanted), hosts[0])

    def _mode(self, end: End) -> RelayMedia:
        found = self._of.get(end.device_id or "") if self._of else None
        return found or self._of.get(end.user_id or "") or self.relay

    def _may_be_direct(self, one: End, other: End) -> bool:
        if (":" in one.host) != (":" in other.host) and not (one.service or other.service):
            return False
        if one.inner and other.inner:
            return one.host == other.host and self.direct_behind_one_nat and _in_one_network(one.inner, other.inner)
        if one.inner or other.inner:
            return False
        far, farther = self._is_far(one), self._is_far(other)
        if far == farther:
            return True
        near = numeric((other if far else one).host)
        return near is not None and not is_local(near)

    def _is_far(self, end: End) -> bool:
        return not end.service and self.is_remote(end.host)

    def _is_at_site(self, address: Address) -> bool:
        if not self._networks or address.is_loopback:
            return is_local(address)
        return any(address in one for one in self._networks if one.version == address.version)


def _in_one_network(one: str, other: str) -> bool:
    first, second = numeric(one), numeric(other)
    if first is None or second is None or first.version != second.version or not is_local(first):
        return False
    return second in ip_network(f"{first}/{_ONE_NETWORK[first.version]}", strict=False)


NO_MEDIA_RULES = MediaRules()
