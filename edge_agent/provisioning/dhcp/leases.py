"""Who has which address of one range. Pure; every `now` is seconds of wall time, because leases outlive the process.

An address is free when nobody has it, nobody was offered it lately, it is nobody else's reservation and nobody was
found to use it without asking. A phone keeps its address as long as nobody else needs it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from edge_agent.provisioning.dhcp.config import Range

HOLD_SECONDS: Final = 30.0
"""How long an address that was offered waits for its request."""
CONFLICT_SECONDS: Final = 600.0
"""How long an address is left alone that somebody else was found to use."""
DECLINES_PER_PHONE: Final = 4
"""Within `CONFLICT_SECONDS`; whoever declines more is not believed, or it would use up the range."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a phone has, or had until `ends`."""

    address: IPv4Address
    mac: str
    ends: float
    vendor_class: str = ""
    switch_port: str = ""


class Pool:
    """The addresses of one range.

    Args:
        described: the range.
        kept: leases of an earlier process or configuration; those outside the network are forgotten.
        taken: addresses that are this machine's or the network's own.
    """

    def __init__(self, described: Range, kept: Iterable[Lease] = (), taken: Iterable[IPv4Address] = ()) -> None:
        self.range = described
        network = described.network
        router = {described.router} if described.router else set()
        self._never = {network.network_address, network.broadcast_address, *taken, *router, *described.name_servers}
        self._reserved = {address: mac for mac, address in described.reservations.items()}
        self._addresses = tuple(
            address
            for number in range(int(described.first), int(described.last) + 1)
            if (address := IPv4Address(number)) not in self._never and address not in self._reserved
        )
        self._given = frozenset(self._addresses)
        self._by_mac: dict[str, Lease] = {}
        self._by_address: dict[IPv4Address, Lease] = {}
        self._held: dict[IPv4Address, tuple[str, float]] = {}
        self._conflicts: dict[IPv4Address, float] = {}
        self._declines: dict[str, list[float]] = {}
        for lease in sorted(kept, key=lambda each: each.ends):
            if lease.address in network:
                self._put(lease)

    @property
    def size(self) -> int:
        """How many addresses there are to give."""
        return len(self._addresses)

    def free(self, now: float) -> int:
        """How many of them nobody has."""
        return sum(1 for address in self._addresses if self._is_free(address, "", now))

    def leases(self) -> tuple[Lease, ...]:
        """Every lease, also those that are over."""
        return tuple(self._by_address.values())

    def current(self, mac: str, now: float) -> Lease | None:
        """The lease that a phone has now."""
        lease = self._by_mac.get(mac)
        return lease if lease is not None and lease.ends > now else None

    def is_reserved(self, lease: Lease) -> bool:
        """Whether it is the phone's own address."""
        return self._reserved.get(lease.address) == lease.mac

    def candidate(self, mac: str, wanted: IPv4Address | None, now: float) -> IPv4Address | None:
        """The address to offer: the reservation, what it had, what it wants, or any; None when all are taken."""
        own = self.range.reservations.get(mac)
        if own is not None and self._is_free(own, mac, now):
            return own
        lease = self._by_mac.get(mac)
        held = next((address for address, (who, until) in self._held.items() if who == mac and until > now), None)
        for address in (lease.address if lease else None, held, wanted):
            if address is not None and self._gives(address) and self._is_free(address, mac, now):
                return address
        free = (address for address in self._addresses if self._is_free(address, mac, now))
        return min(free, key=lambda address: (self._ended(address), address), default=None)

    def may_have(self, mac: str, address: IPv4Address, now: float) -> bool:
        """Whether a phone that asks for an address can have it."""
        own = self.range.reservations.get(mac)
        if own is not None and own != address and self._is_free(own, mac, now):
            return False
        return (own == address or self._gives(address)) and self._is_free(address, mac, now)

    def hold(self, address: IPv4Address, mac: str, now: float) -> None:
        """It was offered to this phone."""
        self._held = {each: held for each, held in self._held.items() if held[1] > now and held[0] != mac}
        self._held[address] = (mac, now + HOLD_SECONDS)

    def let_go(self, mac: str) -> None:
        """The phone took another server's offer."""
        self._held = {each: held for each, held in self._held.items() if held[0] != mac}

    def bind(self, lease: Lease) -> None:
        """The phone has it."""
        self.let_go(lease.mac)
        self._put(lease)

    def conflict(self, address: IPv4Address, now: float) -> None:
        """Somebody uses it who was not given it."""
        self._conflicts = {each: until for each, until in self._conflicts.items() if until > now}
        self._conflicts[address] = now + CONFLICT_SECONDS
        self._held.pop(address, None)

    def declined(self, mac: str, address: IPv4Address, now: float) -> Lease | None:
        """A phone found somebody else at the address it was given: its lease, ended; None when it is not believed."""
        held, lease = self._held.get(address), self._by_mac.get(mac)
        had = lease is not None and lease.address == address
        lately = [at for at in self._declines.get(mac, ()) if now - at < CONFLICT_SECONDS]
        if not (had or (held is not None and held[0] == mac)) or len(lately) >= DECLINES_PER_PHONE:
            return None
        self._declines = {who: at for who, at in self._declines.items() if now - at[-1] < CONFLICT_SECONDS}
        self._declines[mac] = [*lately, now]
        self.conflict(address, now)
        ended = Lease(address, mac, now)
        if had:
            self._put(ended)
        return ended

    def _put(self, lease: Lease) -> None:
        before = self._by_mac.pop(lease.mac, None)
        if before is not None:
            self._by_address.pop(before.address, None)
        other = self._by_address.pop(lease.address, None)
        if other is not None:
            self._by_mac.pop(other.mac, None)
        self._by_mac[lease.mac] = self._by_address[lease.address] = lease

    def _gives(self, address: IPv4Address) -> bool:
        """Whether it is one of the range's that anybody can have."""
        return address in self._given

    def _is_free(self, address: IPv4Address, mac: str, now: float) -> bool:
        lease, held = self._by_address.get(address), self._held.get(address)
        return (
            (lease is None or lease.ends <= now or lease.mac == mac)
            and (held is None or held[1] <= now or held[0] == mac)
            and self._conflicts.get(address, now) <= now
        )

    def _ended(self, address: IPv4Address) -> float:
        """When its last lease ended; those never given come first."""
        lease = self._by_address.get(address)
        return lease.ends if lease is not None else 0.0
