"""A hub's store without a database; `tests/cloud/hub/test_site_store.py` runs the same tests against the real one."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from cloud.hub.blobs import BlobReader
from cloud.hub.errors import StoreUnavailable
from cloud.hub.questions import (
    Answer,
    EventsKept,
    FetchNews,
    FetchPiece,
    FindEdge,
    Found,
    KeepEvents,
    KeepPiece,
    KnownEdge,
    MergeState,
    News,
    Offer,
    Opened,
    OpenLease,
    PieceKept,
    Question,
    RecordVerdict,
    ResultStored,
    StateMerged,
    StoreResult,
    VerdictRecorded,
)
from cloud.objects import ObjectStore
from cloud.pbx.snapshot_blobs import NEWEST
from contract.snapshot import Snapshot, snapshot_digest
from contract.sync.delta import diff
from contract.sync.events import EventBody
from contract.sync.messages import (
    Applied,
    Command,
    CommandResult,
    DeltaMessage,
    RecordingKept,
    RecordingPiece,
    Rejected,
    SnapshotMessage,
)
from contract.sync.older_edges import digest_of, for_features
from contract.sync.state import StateRecord, merge
from contract.sync.versions import BLOBS


@dataclass
class MemoryStore:
    """Implements `cloud.hub.questions.SiteStore` for the edges of one site, in this process's memory."""

    edges: dict[str, KnownEdge] = field(default_factory=dict)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    leases: dict[str, str] = field(default_factory=dict)
    events: dict[tuple[str, str, int], EventBody] = field(default_factory=dict)
    verdicts: list[Applied | Rejected] = field(default_factory=list)
    records: dict[str, StateRecord] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    results: list[CommandResult] = field(default_factory=list)
    objects: ObjectStore | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    """Of the recordings that messages name, by digest."""
    recordings: dict[str, bytearray] = field(default_factory=dict)
    """What came of them."""
    sweeps: int = 0
    """How often it let go of what nothing needs."""
    refused_sweeps: int = 0
    """How often it could not."""
    down: bool = False
    """Behave like a database that does not answer."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._changes = 0

    def publish(self, snapshot: Snapshot) -> None:
        self.snapshots[snapshot.version] = snapshot

    def answer(self, question: Question) -> Answer:
        with self._lock:
            if self.down:
                raise StoreUnavailable("the store is down")
            return self._answer(question)

    def sweep(self) -> None:
        if self.down:
            self.refused_sweeps += 1
            raise StoreUnavailable("the store is down")
        self.sweeps += 1

    def renew(self, held: dict[str, str]) -> frozenset[str]:
        if self.down:
            raise StoreUnavailable("the store is down")
        return frozenset(edge_id for edge_id, name in held.items() if self.leases.get(edge_id) != name)

    def release(self, edge: KnownEdge, connection: str) -> None:
        if self.down:
            raise StoreUnavailable("the store is down")
        if self.leases.get(edge.edge_id) == connection:
            del self.leases[edge.edge_id]

    def look_after(self, edge_ids: Iterable[str]) -> dict[str, str]:
        if self.down:
            raise StoreUnavailable("the store is down")
        return {
            edge_id: f"{self.edges[edge_id].revoked} {self._newest()} {self._changes} {len(self.commands)}"
            for edge_id in edge_ids
            if edge_id in self.edges
        }

    def _newest(self) -> int | None:
        return max(self.snapshots, default=None)

    def _answer(self, question: Question) -> Answer:
        match question:
            case FindEdge():
                return Found(self.edges.get(question.edge_id))
            case OpenLease():
                edge_id = question.edge.edge_id
                self.leases[edge_id] = question.peer.connection
                known = [n for (edge, epoch, n) in self.events if (edge, epoch) == (edge_id, question.epoch)]
                return Opened(max(known, default=0), self._newest())
            case FetchNews():
                return self._news(question)
            case KeepEvents():
                for event in question.events:
                    self.events.setdefault((question.edge.edge_id, event.epoch, event.sequence), event.body)
                return EventsKept(question.epoch, max(event.sequence for event in question.events))
            case RecordVerdict():
                self.verdicts.append(question.verdict)
                return VerdictRecorded()
            case MergeState():
                for record in question.records:
                    self.records[record.key] = merge(self.records.get(record.key), record)
                self._changes += 1
                keys = sorted({record.key for record in question.records})
                return StateMerged(tuple(self.records[key] for key in keys))
            case StoreResult():
                self.results.append(question.result)
                self.commands = [c for c in self.commands if c.command_id != question.result.command_id]
                return ResultStored(question.result.command_id)
            case FetchPiece():
                kept = sorted(self.snapshots)[-NEWEST:]
                named = {blob.digest: blob.size_bytes for version in kept for blob in self.snapshots[version].blobs}
                return BlobReader(self.objects).read(question, named)
            case KeepPiece():
                return PieceKept(self._keep_piece(question.piece))
            case _:
                assert_never(question)

    def _keep_piece(self, piece: RecordingPiece) -> RecordingKept:
        """Recordings of any digest that `sizes` knows."""
        size = self.sizes.get(piece.digest)
        if size is None:
            return RecordingKept(digest=piece.digest, refused="not_named")
        kept = self.recordings.setdefault(piece.digest, bytearray())
        if piece.offset == len(kept):
            kept += piece.data
        return RecordingKept(digest=piece.digest, offset=len(kept), complete=len(kept) == size)

    def _news(self, question: FetchNews) -> News:
        edge = self.edges.get(question.edge.edge_id)
        if edge is None or edge.revoked:
            return News(question.cursor, revoked=True)
        if self.leases.get(edge.edge_id, question.connection) != question.connection:
            return News(question.cursor, taken_over=True)
        cursor = f"at {self._changes}"
        records = tuple(self.records.values()) if question.cursor != cursor else ()
        return News(cursor, self._offer(question), records, tuple(self.commands))

    def _offer(self, question: FetchNews) -> Offer | None:
        newest = self._newest()
        if newest is None or not question.offers:
            return None
        holding, snapshot = question.holding, self.snapshots[newest]
        content = for_features(snapshot.model_dump(mode="json"), holding.features)
        runs = (holding.version, holding.digest) == (newest, digest_of(content))
        if not question.whole and (newest == question.settled or runs):
            return None
        held = self.snapshots.get(holding.version) if holding.version is not None else None
        deltas = {"delta", BLOBS} <= holding.features
        if held is None or question.whole or not deltas or snapshot_digest(held) != holding.digest:
            return Offer(newest, SnapshotMessage(version=newest, snapshot=content))
        return Offer(newest, DeltaMessage(delta=diff(held, snapshot)))
