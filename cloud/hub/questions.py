"""What a hub session asks the database, and what it is told: closed unions of frozen values.

A session never waits: it emits a question, goes on, and is given the answer when there is one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from contract.sync.messages import (
    Applied,
    BlobPiece,
    BlobRequest,
    Command,
    CommandResult,
    DeltaMessage,
    Event,
    RecordingKept,
    RecordingPiece,
    Rejected,
    Secrets,
)
from contract.sync.messages import SnapshotMessage as Whole
from contract.sync.state import StateRecord


@dataclass(frozen=True, slots=True)
class KnownEdge:
    """An edge as the database knows it; ids as the channel writes them.

    Args:
        identity_key: its raw Ed25519 public key.
        sealing_key: its raw X25519 public key.
        revoked: it was enrolled, and is no longer wanted.
    """

    edge_id: str
    site_id: str
    tenant_id: str
    identity_key: bytes
    sealing_key: bytes
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a connection comes from.

    Args:
        connection: a name of this connection, unique for ever; the lease is held in its name.
        transport: `quic` or `websocket`.
        address: `address:port` of the edge as the hub sees it.
    """

    connection: str
    transport: str
    address: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What an edge runs.

    Args:
        version: of the snapshot it applied; None for none.
        digest: of that snapshot.
        secrets: the secret versions it has; None: those that the snapshot it runs names.
        features: what it can (`contract.sync.versions`): whether it understands deltas, and which snapshots.
    """

    version: int | None
    digest: str | None
    secrets: frozenset[str] | None
    features: frozenset[str]


# Questions


@dataclass(frozen=True, slots=True)
class FindEdge:
    """Who is this? Answered by `Found`."""

    edge_id: str


@dataclass(frozen=True, slots=True)
class OpenLease:
    """It is here now, on this connection. Answered by `Opened`."""

    edge: KnownEdge
    peer: Peer
    agent_version: str
    epoch: str
    holding: Holding


@dataclass(frozen=True, slots=True)
class FetchNews:
    """What is there for it? Answered by `News`.

    Args:
        settled: the version that need not be offered (again): it runs, or was rejected.
        cursor: from the last `News`; empty at first.
        connection: its name; news for an edge that another connection holds are `taken_over`.
        offers: the edge can take a snapshot now.
        whole: give the snapshot even when it is settled, and no delta.
    """

    edge: KnownEdge
    holding: Holding
    settled: int | None
    cursor: str
    connection: str
    offers: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class KeepEvents:
    """Keep these in the inbox, for good. Answered by `EventsKept`."""

    edge: KnownEdge
    epoch: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """What it said about a snapshot. Answered by `VerdictRecorded`."""

    edge: KnownEdge
    verdict: Applied | Rejected


@dataclass(frozen=True, slots=True)
class MergeState:
    """Site state records from the site. Answered by `StateMerged`."""

    edge: KnownEdge
    records: tuple[StateRecord, ...]


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What came of a command. Answered by `ResultStored`."""

    edge: KnownEdge
    result: CommandResult


@dataclass(frozen=True, slots=True)
class FetchPiece:
    """A piece of a blob, from the object store. Answered by `PieceFetched`, also when there is none."""

    edge: KnownEdge
    request: BlobRequest


@dataclass(frozen=True, slots=True)
class KeepPiece:
    """Keep a piece of a recording. Answered by `PieceKept`, also when it is refused."""

    edge: KnownEdge
    piece: RecordingPiece


Question = (
    FindEdge | OpenLease | FetchNews | KeepEvents | RecordVerdict | MergeState | StoreResult | FetchPiece | KeepPiece
)


# Answers


@dataclass(frozen=True, slots=True)
class Found:
    """The edge, or None when there is none of that id that has enrolled."""

    edge: KnownEdge | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The lease is this connection's.

    Args:
        acknowledged: the highest sequence of the edge's epoch in the inbox.
        wanted_version: the site's newest version; None when nothing was published yet.
    """

    acknowledged: int
    wanted_version: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A snapshot for the edge, with the secrets it lacks."""

    version: int
    content: Whole | DeltaMessage
    secrets: tuple[Secrets, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What there is for an edge."""

    cursor: str
    offer: Offer | None = None
    records: tuple[StateRecord, ...] = ()
    commands: tuple[Command, ...] = ()
    revoked: bool = False
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class EventsKept:
    """Every event of the question is in the inbox, committed."""

    epoch: str
    sequence: int


@dataclass(frozen=True, slots=True)
class VerdictRecorded:
    """Done."""


@dataclass(frozen=True, slots=True)
class StateMerged:
    """The records that the site has now for the keys asked about."""

    records: tuple[StateRecord, ...]


@dataclass(frozen=True, slots=True)
class ResultStored:
    """Done."""

    command_id: str


@dataclass(frozen=True, slots=True)
class PieceFetched:
    """The piece, or why there is none."""

    piece: BlobPiece


@dataclass(frozen=True, slots=True)
class PieceKept:
    """How far the recording is, or why nothing of it is taken."""

    kept: RecordingKept


Answer = Found | Opened | News | EventsKept | VerdictRecorded | StateMerged | ResultStored | PieceFetched | PieceKept


class SiteStore(Protocol):
    """The database, as the hub needs it. Calls block; the hub makes them in threads."""

    def answer(self, question: Question) -> Answer:
        """Answer one session's question in one transaction, in its tenant's scope.

        Raises:
            StoreUnavailable: the database did not.
        """
        ...

    def sweep(self) -> None:
        """Let go of recordings and messages of all tenants that nothing needs any more.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        ...

    def renew(self, held: dict[str, str]) -> frozenset[str]:
        """Renew the leases of `held` (connection name by edge id).

        Returns:
            The edge ids whose lease another connection has taken.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        ...

    def release(self, edge: KnownEdge, connection: str) -> None:
        """Give up the lease if this connection still holds it: the edge is offline from now on.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        ...

    def look_after(self, edge_ids: Iterable[str]) -> dict[str, str]:
        """What a hub polls: a mark for each edge that changes whenever there may be news for it.

        Returns:
            Marks by edge id; a deleted edge is missing.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        ...
