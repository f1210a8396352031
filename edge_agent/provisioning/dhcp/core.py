"""The server's half of DHCP (RFC 2131 §4.3): what becomes of a client's message. No sockets, no clock.

Two times go in: `now` in seconds on a monotonic clock, for rates, and `wall` in seconds of wall time, for leases. An
answer that gives an address carries the lease, which is to be on the disk before the answer is sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final

from contract.devices import Plugin
from edge_agent.provisioning.dhcp.answers import network_options, phone_options
from edge_agent.provisioning.dhcp.config import DhcpConfig, Interface
from edge_agent.provisioning.dhcp.leases import Lease, Pool
from edge_agent.provisioning.dhcp.packet import (
    DEFAULT_BYTES,
    EVERYBODY,
    NOWHERE,
    Code,
    Kind,
    Message,
    Operation,
    sub_options,
)
from edge_agent.provisioning.serve.limits import RateLimit

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
MESSAGES_PER_PHONE: Final = 30
"""In a minute; a phone that boots sends four."""
MESSAGES_PER_SECOND: Final = 500
"""Of all phones; those that are not heard ask again by themselves."""
MAX_PROBES: Final = 256
PROBES_PER_DISCOVER: Final = 3
_TEXT: Final = 128


class DropReason(StrEnum):
    """Why a message was not answered."""

    MALFORMED = "malformed"
    NOT_A_REQUEST = "not_a_request"
    RATE_OF_PHONE = "rate_of_phone"
    RATE_OF_ALL = "rate_of_all"
    NO_RANGE = "no_range"
    NOT_SERVING = "not_serving"
    NOT_KNOWN = "not_known"
    FULL = "full"
    OTHER_SERVER = "other_server"
    NO_LEASE = "no_lease"
    BUSY = "busy"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came."""

    interface: Interface
    source: IPv4Address


@dataclass(frozen=True, slots=True)
class Answer:
    """Send this, after the lease is kept if there is one."""

    message: Message
    to: IPv4Address
    port: int
    interface: Interface
    lease: Lease | None = None
    limit: int = DEFAULT_BYTES
    """How many bytes the receiver takes."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep this; nobody waits for it."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Probe:
    """Look whether somebody uses this address, then tell `probed`."""

    address: IPv4Address
    request: Message
    arrival: Arrival
    left: int
    """How many more addresses are tried when this one is in use."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Another server seems to be on this interface."""

    interface: Interface


Action = Answer | Keep | Probe | Suspect


@dataclass(frozen=True, slots=True)
class Site:
    """What the core asks of provisioning.

    Args:
        plugin: the plug-in of a phone, by MAC address and vendor class; None when it is nobody's.
        knows: whether a MAC address is a device of the site.
        url: where phones of a plug-in fetch.
        serves: whether phones at an address are served at all.
        may_lease: whether addresses may be given on an interface: no other server is there.
    """

    plugin: Callable[[str, str], Plugin | None]
    knows: Callable[[str], bool]
    url: Callable[[Plugin | None], str]
    serves: Callable[[str], bool]
    may_lease: Callable[[Interface], bool]


class DhcpCore:
    """Answers the clients of one configuration.

    Args:
        config: the site's ranges.
        site: the rest of provisioning.
        kept: leases of before.
        own: this machine's addresses, which nobody gets.
    """

    def __init__(self, config: DhcpConfig, site: Site, kept: Iterable[Lease] = (), own: Iterable[str] = ()) -> None:
        self.config = config
        self._site = site
        taken, leases = tuple(IPv4Address(each) for each in own), tuple(kept)
        self.pools = tuple(Pool(each, leases, taken) for each in config.ranges)
        self._phones, self._all = RateLimit(), RateLimit(window_seconds=1.0, max_keys=1)
        self._probing = 0
        self.dropped: Counter[DropReason] = Counter()
        self.full: set[str] = set()
        """Networks whose last phone got no address, because there was none."""

    def receive(self, message: Message, arrival: Arrival, now: float, wall: float) -> list[Action]:
        """What comes of a client's message."""
        if message.operation is not Operation.REQUEST:
            return self._drop(DropReason.NOT_A_REQUEST)
        if not self._phones.allows(message.mac, now, MESSAGES_PER_PHONE):
            return self._drop(DropReason.RATE_OF_PHONE)
        if not self._all.allows("", now, MESSAGES_PER_SECOND):
            return self._drop(DropReason.RATE_OF_ALL)
        pool = self._pool(message, arrival)
        match message.kind:
            case Kind.INFORM:
                return self._inform(message, arrival)
            case Kind.DISCOVER if pool is None:
                return self._proxy(message, arrival)
            case _ if pool is None:
                return self._drop(DropReason.NO_RANGE)
            case Kind.DISCOVER:
                return self._discover(message, arrival, pool, wall)
            case Kind.REQUEST:
                return self._request(message, arrival, pool, wall)
            case Kind.DECLINE:
                return self._decline(message, arrival, pool, wall)
            case Kind.RELEASE:
                return self._release(message, arrival, pool, wall)
        return self._drop(DropReason.NOT_A_REQUEST)

    def probed(self, probe: Probe, *, in_use: bool, wall: float) -> list[Action]:
        """What a look at an address showed."""
        self._probing -= 1
        message, arrival = probe.request, probe.arrival
        pool = self._pool(message, arrival)
        if pool is None:
            return self._drop(DropReason.NO_RANGE)
        if not in_use:
            return [self._offer(message, arrival, pool, probe.address)]
        pool.conflict(probe.address, wall)
        if probe.left <= 0:
            return self._drop(DropReason.BUSY)
        return self._find(message, arrival, pool, wall, probe.left - 1)

    def switch_port(self, mac: str) -> str:
        """Where a phone is plugged in, as its relay said; empty when none did."""
        found = (lease.switch_port for pool in self.pools for lease in pool.leases() if lease.mac == mac)
        return next(found, "")

    # The kinds of message

    def _discover(self, message: Message, arrival: Arrival, pool: Pool, wall: float) -> list[Action]:
        if not self._leases_here(message, arrival):
            return self._drop(DropReason.NOT_SERVING)
        if not self._may_have_any(message):
            return self._drop(DropReason.NOT_KNOWN)
        return self._find(message, arrival, pool, wall, PROBES_PER_DISCOVER - 1)

    def _find(self, message: Message, arrival: Arrival, pool: Pool, wall: float, left: int) -> list[Action]:
        address = pool.candidate(message.mac, message.address(Code.REQUESTED_ADDRESS), wall)
        network = str(pool.range.network)
        if address is None:
            self.full.add(network)
            return self._drop(DropReason.FULL)
        self.full.discard(network)
        pool.hold(address, message.mac, wall)
        current = pool.current(message.mac, wall)
        if message.relay != NOWHERE or (current is not None and current.address == address):
            # Behind a relay no address can be looked at; one that the phone has, it uses itself.
            return [self._offer(message, arrival, pool, address)]
        if self._probing >= MAX_PROBES:
            return self._drop(DropReason.BUSY)
        self._probing += 1
        return [Probe(address, message, arrival, left)]

    def _offer(self, message: Message, arrival: Arrival, pool: Pool, address: IPv4Address) -> Answer:
        return self._answer(Kind.OFFER, message, arrival, pool, address)

    def _request(self, message: Message, arrival: Arrival, pool: Pool, wall: float) -> list[Action]:
        server, wanted = message.address(Code.SERVER), message.address(Code.REQUESTED_ADDRESS)
        if server is not None and server != arrival.interface.address:
            pool.let_go(message.mac)
            return [*self._drop(DropReason.OTHER_SERVER), Suspect(arrival.interface)]
        address = wanted or message.client
        current = pool.current(message.mac, wall)
        if current is not None and current.address == address and self._may_have_any(message):
            # A phone that we gave its address keeps it, also when another server has come: it may be in a call.
            return self._bind(message, arrival, pool, address, wall)
        if not self._leases_here(message, arrival):
            return self._drop(DropReason.NOT_SERVING)
        if not self._may_have_any(message):
            return self._drop(DropReason.NOT_KNOWN)
        if address not in pool.range.network:
            return [self._refusal(message, arrival, "not of this network")]
        if server is None and wanted is not None and pool.current(message.mac, wall) is None:
            known = any(lease.mac == message.mac for lease in pool.leases())
            if not known:  # RFC 2131 §4.3.2: of a client that it does not know, a server says nothing
                return self._drop(DropReason.NO_LEASE)
        if not pool.may_have(message.mac, address, wall):
            return [self._refusal(message, arrival, "somebody else's")]
        return self._bind(message, arrival, pool, address, wall)

    def _bind(self, message: Message, arrival: Arrival, pool: Pool, address: IPv4Address, wall: float) -> list[Action]:
        lease = Lease(
            address,
            message.mac,
            wall + pool.range.lease_seconds,
            message.text(Code.VENDOR_CLASS)[:_TEXT],
            switch_port(message.options.get(Code.RELAY, b"")),
        )
        pool.bind(lease)
        return [self._answer(Kind.ACK, message, arrival, pool, address, lease)]

    def _decline(self, message: Message, arrival: Arrival, pool: Pool, wall: float) -> list[Action]:
        address = message.address(Code.REQUESTED_ADDRESS)
        if message.address(Code.SERVER) != arrival.interface.address or address is None:
            return self._drop(DropReason.OTHER_SERVER)
        ended = pool.declined(message.mac, address, wall)
        return [Keep(ended)] if ended is not None else self._drop(DropReason.NO_LEASE)

    def _release(self, message: Message, arrival: Arrival, pool: Pool, wall: float) -> list[Action]:
        if message.address(Code.SERVER) != arrival.interface.address:
            return self._drop(DropReason.OTHER_SERVER)
        current = pool.current(message.mac, wall)
        if (
            current is None
            or current.address != message.client
            or (message.relay == NOWHERE and arrival.source != message.client)
        ):
            return self._drop(DropReason.NO_LEASE)
        ended = replace(current, ends=wall)
        pool.bind(ended)
        return [Keep(ended)]

    def _inform(self, message: Message, arrival: Arrival) -> list[Action]:
        """A client that has its address asks for the rest (RFC 2131 §4.3.5): also beside another server."""
        if message.client == NOWHERE or (message.relay == NOWHERE and arrival.source != message.client):
            return self._drop(DropReason.NO_LEASE)
        plugin = self._plugin(message)
        known = self._site.knows(message.mac)
        stranger = self.config.known_only or plugin is None
        if (stranger and not known) or not self._site.serves(str(message.client)):
            return self._drop(DropReason.NOT_KNOWN)
        told = self._told(message, arrival, plugin)
        reply = self._reply(Kind.ACK, message, arrival, {**self._echoed(message), **told})
        return [Answer(reply, message.client, CLIENT_PORT, arrival.interface, limit=_limit(message))]

    def _proxy(self, message: Message, arrival: Arrival) -> list[Action]:
        """Beside another server: an offer without an address, for phones that say what they are."""
        plugin = self._plugin(message)
        if not self.config.proxy_offers or self.config.ranges:
            return self._drop(DropReason.NO_RANGE)
        if plugin is None or not message.text(Code.VENDOR_CLASS) or not self._may_have_any(message):
            return self._drop(DropReason.NOT_KNOWN)
        said = {int(Code.VENDOR_CLASS): message.options[Code.VENDOR_CLASS]}
        options = {**self._echoed(message), **said, **self._told(message, arrival, plugin)}
        return [self._addressed(self._reply(Kind.OFFER, message, arrival, options), message, arrival)]

    # The answers

    def _answer(
        self,
        kind: Kind,
        message: Message,
        arrival: Arrival,
        pool: Pool,
        address: IPv4Address,
        lease: Lease | None = None,
    ) -> Answer:
        seconds = pool.range.lease_seconds
        times = {
            int(Code.LEASE_TIME): seconds.to_bytes(4),
            int(Code.RENEWAL_TIME): (seconds // 2).to_bytes(4),
            int(Code.REBINDING_TIME): (seconds * 7 // 8).to_bytes(4),
        }
        told = self._told(message, arrival, self._plugin(message))
        options = {**self._echoed(message), **times, **network_options(pool.range), **told}
        reply = replace(self._reply(kind, message, arrival, options), yours=address)
        return replace(self._addressed(reply, message, arrival), lease=lease)

    def _refusal(self, message: Message, arrival: Arrival, why: str) -> Answer:
        options = {**self._echoed(message), int(Code.MESSAGE): why.encode()}
        reply = replace(self._reply(Kind.NAK, message, arrival, options), client=NOWHERE, server=NOWHERE)
        return self._addressed(reply, replace(message, client=NOWHERE), arrival)

    def _reply(self, kind: Kind, message: Message, arrival: Arrival, options: dict[int, bytes]) -> Message:
        own = arrival.interface.address
        return Message(
            Operation.REPLY,
            kind,
            message.transaction,
            message.mac,
            client=message.client,
            server=own,
            relay=message.relay,
            flags=message.flags,
            options={int(Code.SERVER): own.packed, **options},
        )

    def _addressed(self, reply: Message, message: Message, arrival: Arrival) -> Answer:
        """To the relay, to the address that the client has, or to everybody: a client without an address cannot be
        reached otherwise through a socket that is not a raw one."""
        if message.relay != NOWHERE:
            return Answer(reply, message.relay, SERVER_PORT, arrival.interface, limit=_limit(message))
        to = message.client if message.client != NOWHERE else EVERYBODY
        return Answer(reply, to, CLIENT_PORT, arrival.interface, limit=_limit(message))

    def _echoed(self, message: Message) -> dict[int, bytes]:
        """What a server gives back as it came (RFC 6842, RFC 3046 §2.2)."""
        return {int(code): message.options[code] for code in (Code.CLIENT_ID, Code.RELAY) if code in message.options}

    def _told(self, message: Message, arrival: Arrival, plugin: Plugin | None) -> dict[int, bytes]:
        url = self._site.url(plugin)
        return phone_options(message, plugin, url, arrival.interface.address, self.config.voice_vlan)

    # Who and where

    def _plugin(self, message: Message) -> Plugin | None:
        return self._site.plugin(message.mac, message.text(Code.VENDOR_CLASS))

    def _may_have_any(self, message: Message) -> bool:
        return not self.config.known_only or self._site.knows(message.mac)

    def _leases_here(self, message: Message, arrival: Arrival) -> bool:
        return message.relay != NOWHERE or self._site.may_lease(arrival.interface)

    def _pool(self, message: Message, arrival: Arrival) -> Pool | None:
        """The range of the network that the client is on: the relay's, or the interface's."""
        where = message.relay if message.relay != NOWHERE else arrival.interface.address
        return next((pool for pool in self.pools if where in pool.range.network), None)

    def _drop(self, reason: DropReason) -> list[Action]:
        self.dropped[reason] += 1
        return []


def switch_port(relay_information: bytes) -> str:
    """Where a client is plugged in, from option 82 (RFC 3046 §3.1, §3.2): circuit and remote id, as text where they
    are text."""
    parts = sub_options(relay_information)
    return " / ".join(_readable(parts[code]) for code in (2, 1) if parts.get(code))[:_TEXT]


def _readable(value: bytes) -> str:
    return value.decode() if value.isascii() and value.decode("ascii").isprintable() else value.hex(":")


def _limit(message: Message) -> int:
    """How many bytes of UDP the client takes (option 57 counts the IP and UDP headers)."""
    size = int.from_bytes(message.options.get(Code.MAX_SIZE, b"")[:2])
    return max(DEFAULT_BYTES, size - 28)
