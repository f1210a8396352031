"""The hub's questions answered from PostgreSQL, by the functions of `cloud.pbx`; called in threads."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, assert_never
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cloud.clock import Clock
from cloud.hub.blobs import BlobReader
from cloud.hub.errors import StoreUnavailable
from cloud.hub.questions import (
    Answer,
    EventsKept,
    FetchNews,
    FetchPiece,
    FindEdge,
    Found,
    Holding,
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
from cloud.objects import ObjectsError, ObjectStore
from cloud.pbx import call_recordings, commands, edges, inbox, publishing, recordings, state
from cloud.pbx.database import NOBODY, PLATFORM, Database, Scope
from cloud.pbx.recording_sweeps import sweep_recordings, tenants_with_recordings
from cloud.pbx.secrets import KeyService, SecretUnreadable, seal_for_edge
from cloud.pbx.snapshot_blobs import named_blobs
from cloud.tokens import Tokens
from contract.snapshot import Snapshot
from contract.snapshot.snapshot import SnapshotProblems
from contract.sync.delta import diff
from contract.sync.messages import Applied, DeltaMessage, RecordingKept, Secrets, SnapshotMessage
from contract.sync.older_edges import digest_of, for_features
from contract.sync.state import StateRecord
from contract.values import Digest

log = logging.getLogger(__name__)

_SECRETS_PER_MESSAGE: Final = 2000
_OVERLAP: Final = timedelta(seconds=5)
"""State changes are stamped before they are committed: look back this far, so that a slow commit is not missed."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PbxStore:
    """Implements `cloud.hub.questions.SiteStore`.

    Args:
        database: as role `tandem_hub`.
        keys: unwraps secrets.
        clock: time.
        tokens: ids.
        lease_seconds: how long a lease lasts unless renewed.
        objects: where blobs are; None: nowhere.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyService,
        clock: Clock,
        tokens: Tokens,
        lease_seconds: float,
        objects: ObjectStore | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._tokens = tokens
        self._lease_seconds = lease_seconds
        self._objects = objects
        self._intake = call_recordings.Intake(objects, keys, tokens)
        self._blobs = BlobReader(objects)

    def answer(self, question: Question) -> Answer:
        """See `SiteStore`."""
        match question:
            case FindEdge():
                return self._find(question)
            case OpenLease():
                return self._open_lease(question)
            case FetchNews():
                return self._fetch_news(question)
            case KeepEvents():
                with self._session(question.edge) as session:
                    kept = inbox.keep_events(session, self._tokens, _pbx(question.edge), question.events, self._now())
                return EventsKept(question.epoch, kept)
            case RecordVerdict():
                return self._record_verdict(question)
            case MergeState():
                return self._merge_state(question)
            case StoreResult():
                with self._session(question.edge) as session:
                    commands.finish_command(session, _pbx(question.edge), question.result, self._now())
                return ResultStored(question.result.command_id)
            case FetchPiece():
                return self._blobs.read(question, self._named_blobs(question.edge))
            case KeepPiece():
                return self._keep_piece(question)
            case _:
                assert_never(question)

    def sweep(self) -> None:
        """See `SiteStore`; one transaction for each tenant, so that one's object store holds up no other's rows."""
        if self._objects is None:
            return
        with _named_errors(), self._database.session(PLATFORM) as session:
            tenants = tenants_with_recordings(session)
        for tenant_id in tenants:
            try:
                with _named_errors(), self._database.session(Scope(tenant_id=tenant_id)) as session:
                    sweep_recordings(session, self._objects, tenant_id, self._now())
            except (ObjectsError, OSError) as error:
                log.warning("recordings_not_swept", extra={"problem": type(error).__name__})

    def renew(self, held: dict[str, str]) -> frozenset[str]:
        """See `SiteStore`."""
        by_id = {UUID(edge_id): connection for edge_id, connection in held.items()}
        with _named_errors(), self._database.session(PLATFORM) as session:
            renewed = edges.renew_leases(session, by_id, self._now(), self._lease_seconds)
        return frozenset(str(edge_id) for edge_id in by_id.keys() - renewed)

    def release(self, edge: KnownEdge, connection: str) -> None:
        """See `SiteStore`."""
        with self._session(edge) as session:
            edges.lose_lease(session, _pbx(edge), connection, self._now())

    def look_after(self, edge_ids: Iterable[str]) -> dict[str, str]:
        """See `SiteStore`."""
        with _named_errors(), self._database.session(NOBODY) as session:
            found = edges.look_after(session, [UUID(edge_id) for edge_id in edge_ids])
        return {
            str(news.edge_id): f"{news.revoked} {news.wanted_version} {news.wanted_digest} {news.state_changed_at}"
            f" {news.open_commands} {news.lease_hub}"
            for news in found
        }

    def _find(self, question: FindEdge) -> Found:
        with _named_errors(), self._database.session(NOBODY) as session:
            edge = edges.find_edge(session, question.edge_id)
        if edge is None or edge.identity_key is None or edge.sealing_key is None:
            return Found(None)
        return Found(
            KnownEdge(
                edge_id=str(edge.edge_id),
                site_id=str(edge.site_id),
                tenant_id=str(edge.tenant_id),
                identity_key=edge.identity_key,
                sealing_key=edge.sealing_key,
                revoked=edge.revoked,
            )
        )

    def _open_lease(self, question: OpenLease) -> Opened:
        edge, peer, now = _pbx(question.edge), question.peer, self._now()
        with self._session(question.edge) as session:
            edges.take_lease(
                session,
                edge,
                hub=peer.connection,
                now=now,
                seconds=self._lease_seconds,
                transport=peer.transport,
                address=peer.address,
                agent_version=question.agent_version,
            )
            if question.holding.version is not None and question.holding.digest is not None:
                edges.record_applied(session, edge, question.holding.version, question.holding.digest, now)
            acknowledged = inbox.acknowledged(session, edge.edge_id, question.epoch)
            newest = publishing.newest_version(session, edge.site_id)
        return Opened(acknowledged, newest.version if newest else None)

    def _fetch_news(self, question: FetchNews) -> News:
        edge = _pbx(question.edge)
        with self._session(question.edge) as session:
            found = edges.look_after(session, [edge.edge_id])
            if not found or found[0].revoked:
                return News(question.cursor, revoked=True)
            news = found[0]
            if news.lease_hub and news.lease_hub != question.connection:
                return News(question.cursor, taken_over=True)
            cursor, records = self._state_news(session, question, news.state_changed_at)
            offer = None
            if question.offers and news.wanted_version is not None:
                offer = self._offer(session, question, news.wanted_version, news.wanted_digest)
            to_do = commands.take_commands(session, edge, self._now(), again=not question.cursor)
        return News(cursor, offer, tuple(records), tuple(to_do))

    def _state_news(
        self, session: Session, question: FetchNews, changed_at: datetime | None
    ) -> tuple[str, list[StateRecord]]:
        """What changed since the cursor, which is the newest change that was seen."""
        seen = datetime.fromisoformat(question.cursor) if question.cursor else _LONG_AGO
        if changed_at is None or changed_at <= seen:
            return seen.isoformat(), []
        since = max(_LONG_AGO, seen - _OVERLAP) if question.cursor else _LONG_AGO
        return changed_at.isoformat(), state.records_since(session, UUID(question.edge.site_id), since)

    def _offer(self, session: Session, question: FetchNews, wanted: int, digest: str | None) -> Offer | None:
        """The newest snapshot, unless it runs there or was turned down, with the secrets that the edge lacks."""
        holding, site_id = question.holding, UUID(question.edge.site_id)
        runs = (holding.version, holding.digest) == (wanted, digest)
        if not question.whole and (wanted == question.settled or (runs and holding.secrets is None)):
            return None
        snapshot = _stored(session, site_id, wanted)
        if snapshot is None:
            return None
        content = for_features(snapshot.model_dump(mode="json"), holding.features)
        held = _stored(session, site_id, holding.version) if holding.version is not None else None
        if held is not None and _digest_there(held, holding) != holding.digest:
            held = None
        runs = held is not None and held.version == wanted
        has = holding.secrets
        if has is None:
            has = held.secret_refs() if held is not None else frozenset()
        lacking = sorted(snapshot.secret_refs() - has)
        if runs and not lacking and not question.whole:
            return None
        secrets = self._seal(session, question.edge, lacking)
        if (
            held is not None
            and "delta" in holding.features
            and _whole_there(held, snapshot, holding)
            and not question.whole
            and held.version != snapshot.version
        ):
            return Offer(wanted, DeltaMessage(delta=diff(held, snapshot)), secrets)
        return Offer(wanted, SnapshotMessage(version=wanted, snapshot=content), secrets)

    def _seal(self, session: Session, edge: KnownEdge, refs: list[str]) -> tuple[Secrets, ...]:
        try:
            sealed = seal_for_edge(session, self._keys, _pbx(edge), refs)
        except SecretUnreadable as error:
            # Everything else in the snapshot still works, and the lines without a password say so at the edge.
            log.error("secrets_unreadable", extra={"edge_id": edge.edge_id, "problem": str(error)})  # noqa: TRY400
            return ()
        chunks = (sealed[at : at + _SECRETS_PER_MESSAGE] for at in range(0, len(sealed), _SECRETS_PER_MESSAGE))
        return tuple(Secrets(secrets=tuple(chunk)) for chunk in chunks)

    def _record_verdict(self, question: RecordVerdict) -> VerdictRecorded:
        verdict, edge = question.verdict, _pbx(question.edge)
        with self._session(question.edge) as session:
            if isinstance(verdict, Applied):
                edges.record_applied(session, edge, verdict.version, verdict.digest, self._now())
            else:
                edges.record_rejected(session, edge, verdict.version, verdict.problems, self._now())
        return VerdictRecorded()

    def _named_blobs(self, edge: KnownEdge) -> Mapping[Digest, int]:
        """What the snapshots of the edge's site name; asked of the database anew for each version, not each piece."""
        with self._session(edge) as session:
            site_id = UUID(edge.site_id)
            newest = publishing.newest_version(session, site_id)
            version = newest.version if newest is not None else 0
            named = self._blobs.known(edge.site_id, version)
            if named is None:
                named = named_blobs(session, site_id)
                self._blobs.keep(edge.site_id, version, named)
        return named

    def _merge_state(self, question: MergeState) -> StateMerged:
        edge = question.edge
        with self._session(edge) as session:
            site_id = UUID(edge.site_id)
            won = state.merge_records(session, UUID(edge.tenant_id), site_id, question.records, self._now())
            winners = {record.key: record for record in won}
            beaten = {record.key for record in question.records} - winners.keys()
            if beaten:
                # Confirmed as well: the edge has to learn what the site has instead.
                winners |= {r.key: r for r in state.site_records(session, site_id) if r.key in beaten}
        return StateMerged(tuple(winners[key] for key in sorted(winners)))

    def _keep_piece(self, question: KeepPiece) -> PieceKept:
        edge = _pbx(question.edge)
        try:
            with self._session(question.edge) as session:
                kept = call_recordings.keep_call_piece(session, self._intake, edge, question.piece, self._now())
                if kept is None:
                    kept = recordings.keep_piece(session, self._objects, edge, question.piece, self._now())
                return PieceKept(kept)
        except (OSError, SecretUnreadable) as error:
            log.warning("recording_not_kept", extra={"edge_id": question.edge.edge_id, "problem": str(error)})
            return PieceKept(RecordingKept(digest=question.piece.digest, refused="unavailable"))

    @contextmanager
    def _session(self, edge: KnownEdge) -> Iterator[Session]:
        """One transaction in the scope of the edge's tenant."""
        with _named_errors(), self._database.session(Scope(tenant_id=UUID(edge.tenant_id))) as session:
            yield session

    def _now(self) -> datetime:
        return self._clock.now()


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(type(error).__name__) from error


def _pbx(edge: KnownEdge) -> edges.KnownEdge:
    """The edge as `cloud.pbx` knows it."""
    return edges.KnownEdge(
        edge_id=UUID(edge.edge_id),
        tenant_id=UUID(edge.tenant_id),
        site_id=UUID(edge.site_id),
        identity_key=edge.identity_key,
        sealing_key=edge.sealing_key,
        revoked=edge.revoked,
    )


def _whole_there(held: Snapshot, wanted: Snapshot, holding: Holding) -> bool:
    """Whether the edge sees all of both, so that a delta between them says nothing that it does not know."""
    return all(
        for_features(content, holding.features) == content
        for content in (held.model_dump(mode="json"), wanted.model_dump(mode="json"))
    )


def _digest_there(snapshot: Snapshot, holding: Holding) -> str:
    """The digest that the edge has of a snapshot: older ones do not see all of it."""
    return digest_of(for_features(snapshot.model_dump(mode="json"), holding.features))


def _stored(session: Session, site_id: UUID, version: int) -> Snapshot | None:
    try:
        return publishing.snapshot_version(session, site_id, version)
    except SnapshotProblems:
        log.exception("stored_snapshot_unreadable")
        return None
