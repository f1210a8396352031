"""A site in memory: one endpoint, and phones that are registered with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from contract.sync.events import CallEnded
from edge_agent.ports import NoticeOutcome, RelayedStream
from edge_agent.sip.config import SipConfig
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.relaying import RelayPool
from edge_agent.sip.relaying.recording import RecordingRules
from tests.support.counted_tokens import CountedTokens
from tests.support.memory_network import Address, MemoryNetwork
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import DOMAIN, KEY, MemoryRows, MemoryStore, SiteLog, sip_config

EDGE: Address = ("192.0.2.1", 5060)


@dataclass
class MemorySite:
    """One endpoint on a network in memory, at `address`."""

    config: SipConfig = field(default_factory=sip_config)
    network: MemoryNetwork = field(default_factory=MemoryNetwork)
    log: SiteLog = field(default_factory=SiteLog)
    store: MemoryStore = field(default_factory=MemoryStore)
    tokens: CountedTokens = field(default_factory=CountedTokens)
    address: Address = EDGE
    key: bytes = KEY
    six: str = ""
    """What IPv6 peers are told; empty: `address`."""
    kept: MemoryRows = field(default_factory=MemoryRows)
    told: list[NoticeOutcome] = field(default_factory=list)
    """What became of notices."""
    wrote: list[dict[str, str | bool]] = field(default_factory=list)
    """What users changed by feature codes."""

    carried: list[tuple[RelayedStream, ...]] = field(default_factory=list)
    """What was to be carried by the relay, each time that it was told."""

    recording: RecordingRules = field(default_factory=lambda: RecordingRules(name=lambda: "recording-1"))
    """Which calls are recorded."""

    def __post_init__(self) -> None:
        self.pool = RelayPool(self)
        self.endpoint = self.started()
        self._next = 10

    def started(self) -> Endpoint:
        """An endpoint; a second one takes the place of the first, as after a kill."""
        self.transport = self.network.transport(self.address)
        self.transport.six = self.six
        endpoint = Endpoint(
            self.config,
            clock=self.network.clock,
            tokens=self.tokens,
            reporter=self.log,
            journal=self.log,
            store=self.store,
            transport=self.transport,
            key=self.key,
            told=self.told.append,
            wrote=self.wrote.append,
            kept=self.kept,
            relay_pool=self.pool,
            recording=self.recording,
        )
        endpoint.start()
        return endpoint

    def phone(self, username: str, *answers: int, registered: bool = True, tcp: bool = False, q: str = "") -> SipPhone:
        """A phone of a user at an address of its own."""
        self._next += 1
        phone = SipPhone(self.network, (f"192.0.2.{self._next}", 5060), self.address, username, answers)
        if tcp:
            self.network.connect(phone.address)
        if registered:
            contact = f"<{phone.contact}>{f';q={q}' if q else ''}"
            assert phone.register(contact=contact).status == 200
            phone.responses.clear()
        return phone

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """See `MediaRelay`."""
        self.carried.append(streams)

    def configure(self, config: SipConfig) -> None:
        """Run another configuration."""
        self.endpoint.prepare(config)
        self.endpoint.commit()
        self.network.flush()

    @property
    def record(self) -> CallEnded:
        """The only call's record."""
        (record,) = self.log.records
        return record


def overload(site: MemorySite) -> None:
    """The queue of the edge stood until now."""
    now = site.network.clock.monotonic()
    for at in (now - 1.0, now):
        site.endpoint.overload.batch_ended(site.config.overload.full_batch, at)


def uri(username: str) -> str:
    """The address of record."""
    return f"sip:{username}@{DOMAIN}"


def with_limits(config: SipConfig, **limits: float) -> SipConfig:
    """The same configuration with other limits."""
    return replace(config, limits=replace(config.limits, **limits))  # type: ignore[arg-type]
