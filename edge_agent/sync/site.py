"""What the channel asks of the agent, and what it tells: the border between `edge_agent.sync` and the agent.

The agent implements `SiteHandlers`; the channel calls it from its event loop, one snapshot at a time, and never
two snapshots at once. An answer may take its time: pings, events and state go on meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import SecretStr

from contract.snapshot import Snapshot
from contract.sync.messages import Command
from contract.sync.state import StateRecord

Transport = Literal["quic", "websocket"]


@dataclass(frozen=True, slots=True)
class Running:
    """The offered snapshot runs now, in every subsystem, and is on disk."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The offered snapshot does not run; the last good one goes on.

    Args:
        problems: why, in words for the portal; at least one.
        waits: it is to be offered again when a file has come (`Channel.blobs_came`).
    """

    problems: tuple[str, ...]
    waits: bool = False


Verdict = Running | Refused


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command.

    Args:
        text: words about it.
        content: the answer, where it was a question (`contract.sync.questions`).
    """

    ok: bool
    text: str = ""
    content: str = ""


class SiteHandlers(Protocol):
    """The agent, as the channel sees it."""

    def running(self) -> Snapshot | None:
        """The snapshot that runs now; what deltas start from and what the cloud is told."""
        ...

    async def on_snapshot(self, snapshot: Snapshot, secrets: Mapping[str, SecretStr]) -> Verdict:
        """Prepare `snapshot` everywhere, write it with `SnapshotStore.save`, commit it everywhere; or refuse it.

        Args:
            snapshot: valid, whole, of the version that the cloud wants.
            secrets: every secret value on disk by its reference; already durable. One that the snapshot names may
                be missing only if the cloud could not give it.
        """
        ...

    async def on_state(self, records: tuple[StateRecord, ...]) -> None:
        """These site state records are new here; they are already kept in the state store."""
        ...

    async def on_command(self, command: Command) -> CommandOutcome:
        """Do what the cloud asks; an unknown command is answered with `ok=False`, never raised."""
        ...

    def on_channel(self, state: "ChannelState") -> None:
        """The channel went online or offline."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Whether the cloud is reached, and how.

    Args:
        online: the hub has welcomed this edge and answers.
        transport: what carries the channel; None while offline.
        since: when it became so.
        problem: why it is offline, in words; empty while online.
    """

    online: bool
    transport: Transport | None
    since: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The channel's times, all in seconds, and sizes.

    Args:
        ping_interval: silence after which the hub is asked whether it is there.
        ping_deadline: how long its answer may take before the connection counts as dead.
        connect_deadline: how long dialling may take, and the welcome after it.
        quic_head_start: how long QUIC may take before a WebSocket is tried beside it.
        retry_first: upper bound of the first wait before dialling again; doubled each time.
        retry_cap: upper bound of every wait, for a hub that wants this edge.
        retry_refused: the wait after a hub said that coming back does not help (revoked, unknown).
        window: events sent and not yet acknowledged, at most.
        quic: try QUIC at all.
    """

    ping_interval: float = 1.25
    ping_deadline: float = 1.25
    connect_deadline: float = 5.0
    quic_head_start: float = 1.5
    retry_first: float = 0.25
    retry_cap: float = 3.0
    retry_refused: float = 60.0
    window: int = 256
    quic: bool = True


class Connection(Protocol):
    """What the agent asks of its channel to the cloud; `edge_agent.sync.client.Channel` is one."""

    @property
    def state(self) -> ChannelState:
        """Whether the cloud is reached."""
        ...

    async def run(self) -> None:
        """Keep the channel up until `stop`."""
        ...

    async def stop(self) -> None:
        """Say goodbye and end `run`."""
        ...

    def notify_outbox(self) -> None:
        """The outbox has something new."""
        ...

    def notify_state(self) -> None:
        """Site state was changed here."""
        ...

    def blobs_came(self) -> None:
        """A file that snapshots name is here."""
        ...
