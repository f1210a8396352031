"""An edge without subsystems: the channel's handlers, with everything that they were told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from contract.snapshot import Snapshot
from contract.sync.messages import Command
from contract.sync.state import StateRecord
from edge_agent.clock import SystemClock
from edge_agent.site_blobs import SiteBlobs
from edge_agent.site_recordings import SiteRecordings
from edge_agent.sync.client import Channel
from edge_agent.sync.identity import Identity
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.site import ChannelSettings, ChannelState, CommandOutcome, Refused, Running, Verdict
from edge_agent.sync.state_store import StateStore
from edge_agent.sync.store import SnapshotStore
from edge_agent.tokens import SystemTokens

QUICK = ChannelSettings(
    ping_interval=0.4,
    ping_deadline=0.6,
    connect_deadline=6.0,
    quic_head_start=1.0,
    retry_first=0.05,
    retry_cap=0.3,
    retry_refused=0.4,
)
"""For tests: everything that takes seconds in the field takes tenths."""


@dataclass
class RecordingSite:
    """Applies every snapshot, unless told to refuse."""

    snapshot: Snapshot | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    offered: list[int] = field(default_factory=list)
    records: list[StateRecord] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    states: list[ChannelState] = field(default_factory=list)
    refuse: tuple[str, ...] = ()
    store: SnapshotStore | None = None
    gate: asyncio.Event | None = None
    """When set, snapshots wait for it."""
    blobs: SiteBlobs | None = None
    recordings: SiteRecordings | None = None
    """When set, a snapshot waits for the files that it needs."""

    def running(self) -> Snapshot | None:
        return self.snapshot

    async def on_snapshot(self, snapshot: Snapshot, secrets: Mapping[str, SecretStr]) -> Verdict:
        self.offered.append(snapshot.version)
        if self.gate is not None:
            await self.gate.wait()
        if self.refuse:
            return Refused(self.refuse)
        if self.blobs is not None and (problems := self.blobs.problems(snapshot)):
            return Refused(problems, waits=True)
        if self.blobs is not None:
            self.blobs.runs(snapshot)
        if self.store is not None:
            self.store.save(snapshot)
        self.snapshot = snapshot
        self.secrets = {ref: value.get_secret_value() for ref, value in secrets.items()}
        return Running()

    async def on_state(self, records: tuple[StateRecord, ...]) -> None:
        self.records += records

    async def on_command(self, command: Command) -> CommandOutcome:
        self.commands.append(command)
        if command.name != "report_registrations":
            return CommandOutcome(ok=False, text=f"{command.name} is not known here")
        return CommandOutcome(ok=True, text="done")

    def on_channel(self, state: ChannelState) -> None:
        self.states.append(state)

    @property
    def transports(self) -> list[str]:
        """What carried the channel, each time that it came online."""
        return [state.transport for state in self.states if state.transport is not None]


@dataclass
class EdgeParts:
    """One edge's channel and what belongs to it."""

    channel: Channel
    site: RecordingSite
    outbox: Outbox
    state_store: StateStore
    secrets: SecretStore
    identity: Identity
    task: "asyncio.Task[None]"

    @property
    def online(self) -> bool:
        return self.channel.state.online


@asynccontextmanager
async def running_edge(
    folder: Path, identity: Identity, site: RecordingSite | None = None, settings: ChannelSettings = QUICK
) -> AsyncIterator[EdgeParts]:
    """The channel of an edge whose files are in `folder`, until the block ends."""
    clock, tokens = SystemClock(), SystemTokens()
    site = site or RecordingSite()
    outbox = Outbox.open(folder / "outbox.db", clock, tokens)
    secrets = SecretStore(folder / "secrets.bin", identity.storage_key(), tokens)
    state_store = StateStore.open(folder / "state.db", identity.edge_id, clock)
    channel = Channel(
        identity,
        site,
        outbox,
        secrets,
        state_store,
        clock=clock,
        tokens=tokens,
        agent_version="0.0.test",
        settings=settings,
        blobs=site.blobs.fetcher if site.blobs is not None else None,
        recordings=site.recordings.sender if site.recordings is not None else None,
    )
    if site.blobs is not None:
        site.blobs.fetcher.on_came = channel.blobs_came
    task = asyncio.get_running_loop().create_task(channel.run())
    parts = EdgeParts(channel, site, outbox, state_store, secrets, identity, task)
    try:
        yield parts
    finally:
        await channel.stop()
        await asyncio.wait([task], timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        outbox.close()
        state_store.close()
