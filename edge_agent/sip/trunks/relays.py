"""Which calls by trunks have their media relayed, and by which ports: bookkeeping for `edge_agent.ports.MediaRelay`.

Ports are chosen here, so that no description waits for another process; whoever carries media is told of every stream
at every change, and again now and then, because it may have been started anew. Each side's description is rewritten
once, where it comes in, so that everything behind it sees the relay's addresses only.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final, Literal

from edge_agent.ports import MediaRelay, RelayedStream, RelayEnd
from edge_agent.sip.trunks.descriptions import BadDescription, Place, Stream, redirected, streams_of

RELAYING: Final = ("never", "auto", "always")
INSIDE, OUTSIDE = 0, 1


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """When and where media is relayed.

    Args:
        when: `auto` relays where the phone's address means nothing to the provider and the relay's does, and where
            the two are of different families.
        inside: the relay's addresses as phones reach them, one of a family.
        outside: the same for providers.
        first_port, last_port: the range; a stream takes two even ports of it, with the odd ones behind them.
    """

    when: Literal["never", "auto", "always"] = "never"
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    first_port: int = 17408
    last_port: int = 18431


@dataclass(slots=True)
class _Line:
    """One m= line of a relayed call: a port for each position, and who is there."""

    ports: tuple[int, int]
    ends: list[Stream | None] = field(default_factory=lambda: [None, None])


class Relays:
    """The relayed calls of all trunks.

    Args:
        settings: when and where.
        carrier: carries the streams.
    """

    def __init__(self, settings: RelaySettings, carrier: MediaRelay) -> None:
        self.settings, self._carrier = settings, carrier
        first = settings.first_port + settings.first_port % 2
        self._free = deque(range(first, settings.last_port, 2))
        self._open: dict[RelayedCall, None] = {}
        self.counts: Counter[str] = Counter()
        """Calls that were relayed, and why others were not."""

    @property
    def calls(self) -> int:
        """Relayed calls at this moment."""
        return len(self._open)

    def call(self, provider: str) -> RelayedCall | None:
        """What a new call's descriptions go through; None: nothing is ever relayed.

        Args:
            provider: its name or address.
        """
        return None if self.settings.when == "never" else RelayedCall(self, provider)

    def restate(self) -> None:
        """Tell the carrier of every stream again, if there is any."""
        if self._open:
            self.tell()

    def tell(self) -> None:
        """Tell the carrier of every stream."""
        self._carrier.carry(tuple(stream for call in self._open for stream in call.streams()))

    def take(self) -> tuple[int, int] | None:
        """Two ports that rested longest; None: all are taken."""
        if len(self._free) < 2:
            return None
        return self._free.popleft(), self._free.popleft()

    def opened(self, call: RelayedCall) -> None:
        """A call has its first ports."""
        self._open[call] = None
        self.counts["relayed"] += 1

    def closed(self, call: RelayedCall, ports: list[int]) -> None:
        """A call gives its ports back."""
        self._free.extend(ports)
        if call in self._open:
            del self._open[call]
            self.tell()


class RelayedCall:
    """A call by a trunk whose media may have to be relayed: decided when the first description is seen.

    Args:
        relays: of which it is one.
        provider: its name or address.
    """

    __slots__ = ("_closed", "_lines", "_outside", "_provider", "_relays", "_wanted")

    def __init__(self, relays: Relays, provider: str) -> None:
        self._relays, self._provider = relays, provider
        self._lines: list[_Line] = []
        self._wanted: bool | None = None
        self._closed = False
        self._outside = [False, True]
        """Whether a provider is at a position."""

    def position(self, inside: bool) -> RelayPosition:
        """Where a side of the call stands at its beginning."""
        return RelayPosition(self, INSIDE if inside else OUTSIDE)

    def through(self, position: int, description: bytes, outside: bool) -> bytes:
        """A description as the other side is to see it.

        Args:
            position: where who wrote it stands.
            description: as it came.
            outside: whether a provider wrote it.
        """
        if self._closed or self._wanted is False or not description:
            return description
        try:
            found = streams_of(description)
            self._outside[position] = outside
            if self._wanted is None:
                self._wanted = self._is_needed(position, found)
            if not self._wanted or not self._has_ports(len(found)):
                return description
            host = self._host_for(1 - position)
            places = [
                Place(host, line.ports[1 - position]) if stream.carried else None
                for line, stream in zip(self._lines, found, strict=False)
            ]
            changed = redirected(description, places)
        except BadDescription:
            self._relays.counts["not_relayable"] += 1
            return description
        for line, stream in zip(self._lines, found, strict=False):
            line.ends[position] = stream
        self._relays.tell()
        return changed

    def streams(self) -> list[RelayedStream]:
        """What is to be carried now."""
        found = []
        for line in self._lines:
            ends = []
            for position in (INSIDE, OUTSIDE):
                end = line.ends[position]
                six = ":" in self._host_for(position)
                media, control = (end.media, end.control) if end is not None else (None, None)
                # Media of the other family than what we named there cannot be sent to.
                fits = media is not None and (":" in media[0]) == six
                ends.append(RelayEnd(line.ports[position], six, media if fits else None, control if fits else None))
            found.append(RelayedStream(ends[INSIDE], ends[OUTSIDE]))
        return found

    def close(self) -> None:
        """The call is over."""
        if not self._closed:
            self._closed = True
            self._relays.closed(self, [port for line in self._lines for port in line.ports])

    def _has_ports(self, count: int) -> bool:
        while len(self._lines) < count:
            ports = self._relays.take()
            if ports is None:
                self._relays.counts["no_port"] += 1
                return False
            self._lines.append(_Line(ports))
            if len(self._lines) == 1:
                self._relays.opened(self)
        return True

    def _host_for(self, position: int) -> str:
        """The relay's address as whoever stands at a position is told it: of the family that he speaks."""
        settings = self._relays.settings
        hosts = settings.outside if self._outside[position] else settings.inside
        six = self._speaks_six(position)
        return next((host for host in hosts if (":" in host) == six), hosts[0])

    def _speaks_six(self, position: int) -> bool:
        for line in self._lines:
            end = line.ends[position]
            if end is not None and end.media is not None:
                return ":" in end.media[0]
        address = _numeric(self._provider) if self._outside[position] else None
        return address is not None and address.version == 6

    def _is_needed(self, position: int, found: tuple[Stream, ...]) -> bool:
        settings = self._relays.settings
        if not settings.inside or not settings.outside:
            self._relays.counts["no_address"] += 1
            return False
        if settings.when == "always":
            return True
        said = next((stream.media[0] for stream in found if stream.media is not None), None)
        ours = self._host_for(OUTSIDE)
        # Who has not described himself yet is where our own address is, or the provider's.
        phone = said if position == INSIDE and said else settings.inside[0]
        provider = said if position == OUTSIDE and said else self._provider
        one, other, relay = _numeric(phone), _numeric(provider), _numeric(ours)
        if one is None or relay is None:
            return False
        if other is not None and one.version != other.version:
            return True
        far = other is None or not is_local(other)
        return is_local(one) and far and not is_local(relay)


class RelayPosition:
    """Where in a relayed call a side stands; whoever takes its place stands there too."""

    __slots__ = ("_call", "_index")

    def __init__(self, call: RelayedCall, index: int) -> None:
        self._call, self._index = call, index

    def through(self, description: bytes, *, outside: bool) -> bytes:
        """See `RelayedCall.through`."""
        return self._call.through(self._index, description, outside)


_LOCAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Addresses that mean something within one network only (RFC 1918, 6598, 3927, 4193, 4291)."""


def is_local(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address means nothing outside of its own network."""
    return any(address in network for network in _LOCAL if network.version == address.version)


def _numeric(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
