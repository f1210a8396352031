"""A network in memory: datagrams and streams between addresses, with loss, delay and time moved by hand."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edge_agent.sip.message import Flow, Message, parse
from edge_agent.sip.transport import Receiver
from edge_agent.sip.transport.peer import VerifiedPeer
from tests.support.hand_clock import HandClock

Address = tuple[str, int]
Loss = Callable[[bytes, Address, Address], bool]


class Node(Protocol):
    """What hears at an address."""

    def arrived(self, data: bytes, source: Address) -> None:
        """A datagram, or a message on a stream, came from there."""
        ...


@dataclass(frozen=True)
class Delivery:
    """One message as it was delivered or lost."""

    at: float
    source: Address
    target: Address
    data: bytes
    lost: bool

    @property
    def message(self) -> Message:
        """Parsed."""
        return parse(self.data)

    @property
    def start(self) -> str:
        """The method, or the status as text."""
        word = self.data.split(b" ", 2)
        return word[1].decode() if word[0] == b"SIP/2.0" else word[0].decode()


@dataclass
class MemoryNetwork:
    """Delivers in order of time; what is sent at one moment arrives in the order in which it was sent.

    Args:
        clock: moved on as far as deliveries and timers need.
        delay: seconds on the way.
        loses: says which messages are lost.
    """

    clock: HandClock = field(default_factory=HandClock)
    delay: float = 0.001
    loses: Loss | None = None
    log: list[Delivery] = field(default_factory=list)
    _nodes: dict[Address, Node] = field(default_factory=dict)
    _streams: dict[Address, int] = field(default_factory=dict)
    shown: dict[Address, VerifiedPeer] = field(default_factory=dict)
    """Of peers on TLS."""
    _browsers: set[Address] = field(default_factory=set)
    _queue: list[tuple[float, int, bytes, Address, Address]] = field(default_factory=list)
    _edges: list[MemoryTransport] = field(default_factory=list)
    _sent: int = 0

    def join(self, address: Address, node: Node) -> None:
        """Hear at an address."""
        self._nodes[address] = node

    def transport(self, address: Address) -> MemoryTransport:
        """A transport with UDP and TCP at one address, in the place of an earlier one there."""
        self._edges = [one for one in self._edges if one.address != address]
        transport = MemoryTransport(self, address)
        self._edges.append(transport)
        self._nodes[address] = transport
        return transport

    def connect(self, address: Address, shown: VerifiedPeer | None = None, browser: bool = False) -> int:
        """Make everything between this address and an edge go by a stream; its number.

        Args:
            address: of the peer.
            shown: who it proves to be, by TLS; None: TCP.
            browser: the stream is a WebSocket.
        """
        self._streams[address] = len(self._streams) + 1
        if shown is not None:
            self.shown[address] = shown
        if browser:
            self._browsers.add(address)
        return self._streams[address]

    def disconnect(self, address: Address) -> None:
        """The stream of that address breaks."""
        number = self._streams.pop(address)
        for edge in self._edges:
            edge.broken(Flow(self._kind(address), *address, number))

    def flow_of(self, address: Address) -> Flow:
        """How an edge sees what comes from an address."""
        number = self._streams.get(address)
        return Flow("udp", *address) if number is None else Flow(self._kind(address), *address, number)

    def _kind(self, address: Address) -> Literal["tcp", "tls", "ws"]:
        if address in self._browsers:
            return "ws"
        return "tls" if address in self.shown else "tcp"

    def is_open(self, flow: Flow) -> bool:
        """Whether a flow leads anywhere."""
        if flow.transport == "udp":
            return True
        number = self._streams.get((flow.host, flow.port))
        return number is not None and flow.connection in (0, number)

    def send(self, data: bytes, source: Address, target: Address) -> None:
        """Put a message on its way."""
        self._sent += 1
        heapq.heappush(self._queue, (self.clock.monotonic() + self.delay, self._sent, data, source, target))

    def run(self, seconds: float = 0.0) -> None:
        """Let time pass; without an argument until nothing is on its way any more."""
        until = self.clock.monotonic() + seconds
        while True:
            moment = self._next()
            if moment is None or (moment > until and not (seconds == 0.0 and self._queue)):
                break
            if moment > self.clock.monotonic():
                self.clock.advance(moment - self.clock.monotonic())
            self._step()
        if until > self.clock.monotonic():
            self.clock.advance(until - self.clock.monotonic())

    def _next(self) -> float | None:
        moments = [self._queue[0][0]] if self._queue else []
        moments += [d for edge in self._edges if edge.receiver and (d := edge.receiver.deadline) is not None]
        return min(moments, default=None)

    def _step(self) -> None:
        now = self.clock.monotonic()
        for edge in self._edges:
            if edge.receiver and (deadline := edge.receiver.deadline) is not None and deadline <= now:
                edge.receiver.advance(now)
                edge.flush()
        while self._queue and self._queue[0][0] <= now:
            _, _, data, source, target = heapq.heappop(self._queue)
            lost = self.loses is not None and self.loses(data, source, target)
            self.log.append(Delivery(now, source, target, data, lost))
            node = self._nodes.get(target)
            if node is not None and not lost:
                node.arrived(data, source)

    def flush(self) -> None:
        """End the batch of every edge, after something was handed to one directly."""
        for edge in self._edges:
            if edge.receiver is not None:
                edge.flush()

    def between(self, source: Address, target: Address) -> list[str]:
        """What went from one address to another: methods and statuses."""
        return [one.start for one in self.log if (one.source, one.target) == (source, target)]


class MemoryTransport:
    """A transport on a `MemoryNetwork`; holds back what is sent until the batch ends, as the real one does."""

    def __init__(self, network: MemoryNetwork, address: Address) -> None:
        self._network = network
        self.address = address
        self.receiver: Receiver | None = None
        self.six = ""
        self.expected: dict[Flow, float] = {}
        """How long the peer of a stream may stay silent."""
        self._outbox: list[tuple[bytes, Flow]] = []
        self.names: dict[str, tuple[Flow, ...]] = {}
        """Hops by name, as `find` tells them at the end of the batch."""
        self.slow = False
        """Whether look-ups find nothing for now."""
        self.looked_up: list[Flow] = []
        self.dead: list[Flow] = []
        self.living: list[Flow] = []
        self._lookups: list[tuple[Callable[[tuple[Flow, ...], float], None], tuple[Flow, ...]]] = []

    @property
    def local(self) -> dict[str, tuple[str, int]]:
        """UDP and TCP at one port."""
        return {"udp": self.address, "tcp": self.address}

    @property
    def local_six(self) -> dict[str, tuple[str, int]]:
        """What IPv6 peers are told."""
        return dict.fromkeys(("udp", "tcp"), (self.six, self.address[1])) if self.six else {}

    def attach(self, receiver: Receiver) -> None:
        """Hand what arrives to this receiver."""
        self.receiver = receiver

    def send(self, data: bytes, flow: Flow) -> None:
        """Send at the end of the batch."""
        self._outbox.append((data, flow))

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        """The hops in `names`."""
        del now
        self.looked_up.append(flow)
        self._lookups.append((found, self.names.get(flow.host, ())))

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """Note a hop that did not answer."""
        del flow, now, wished_seconds
        self.dead.append(hop)

    def answered(self, flow: Flow, hop: Flow) -> None:
        """Note a hop that answered."""
        del flow
        self.living.append(hop)

    def peer(self, flow: Flow) -> VerifiedPeer | None:
        """Who a peer on TLS proved to be when it connected."""
        return self._network.shown.get((flow.host, flow.port)) if flow.transport == "tls" else None

    def expect(self, flow: Flow, seconds: float) -> None:
        """Note how long a peer may stay silent."""
        self.expected[flow] = seconds

    def reuse(self, flow: Flow, port: int) -> bool:
        """Nothing to be reused."""
        del flow, port
        return False

    def arrived(self, data: bytes, source: Address) -> None:
        """See `Node`."""
        if self.receiver is not None:
            self.receiver.received(data, self._network.flow_of(source), self._network.clock.monotonic())
            self.flush()

    def broken(self, flow: Flow) -> None:
        """A stream broke."""
        if self.receiver is not None:
            self.receiver.flow_failed(flow, self._network.clock.monotonic())
            self.flush()

    def flush(self) -> None:
        """End the batch."""
        assert self.receiver is not None
        now = self._network.clock.monotonic()
        self.receiver.batch_ended(now)
        while self._outbox or (self._lookups and not self.slow):
            lookups, self._lookups = ([], self._lookups) if self.slow else (self._lookups, [])
            for found, hops in lookups:
                found(hops, now)
            outbox, self._outbox = self._outbox, []
            for data, flow in outbox:
                if self._network.is_open(flow):
                    self._network.send(data, self.address, (flow.host, flow.port))
                else:
                    self.receiver.flow_failed(flow, now)
