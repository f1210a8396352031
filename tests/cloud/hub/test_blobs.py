"""Pieces of blobs: of the edge's own tenant, of what its site's snapshots name, and reasons for everything else."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from cloud.clock import SystemClock
from cloud.hub.blobs import BlobReader
from cloud.hub.questions import FetchPiece, KnownEdge, PieceFetched
from cloud.hub.site_store import PbxStore
from cloud.models import Snapshot as SnapshotRow
from cloud.objects import FolderStore, ObjectStore, StoredObject
from cloud.pbx.publishing import latest_snapshot, publish_site
from contract.snapshot import Blob, snapshot_digest
from contract.sync.messages import MAX_PIECE_BYTES, BlobPiece, BlobRequest
from tests.support.customers import TOKENS, Customer, enrolled_edge, key_service, new_customer
from tests.support.postgres import Databases

CLOCK = SystemClock()
CONTENT = bytes(range(256)) * 4096
EDGE = KnownEdge("edge-1", "site-1", "00000000-0000-0000-0000-000000000001", b"i" * 32, b"s" * 32)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ask(reader: BlobReader, named: dict[str, int], request: BlobRequest, edge: KnownEdge = EDGE) -> BlobPiece:
    return reader.read(FetchPiece(edge, request), named).piece


@pytest.fixture
def objects(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "objects", TOKENS)
    store.put(UUID(EDGE.tenant_id), [CONTENT], limit_bytes=len(CONTENT))
    return store


def test_a_blob_comes_whole_in_pieces_of_any_length(objects: FolderStore) -> None:
    reader, digest = BlobReader(objects), digest_of(CONTENT)
    for length in (100_000, MAX_PIECE_BYTES):
        come = b""
        while len(come) < len(CONTENT):
            piece = ask(reader, {digest: len(CONTENT)}, BlobRequest(digest=digest, offset=len(come), length=length))
            assert 0 < len(piece.data) <= length
            come += piece.data
        assert come == CONTENT


def test_what_is_not_named_or_lost_or_too_far_is_refused_by_its_reason(objects: FolderStore) -> None:
    digest, named = digest_of(CONTENT), {digest_of(CONTENT): len(CONTENT), "e" * 64: 5}
    reader = BlobReader(objects)
    assert ask(reader, {}, BlobRequest(digest=digest, offset=0, length=1)).refused == "not_named"
    assert ask(reader, named, BlobRequest(digest="e" * 64, offset=0, length=1)).refused == "missing"
    assert ask(reader, named, BlobRequest(digest=digest, offset=len(CONTENT), length=1)).refused == "past_the_end"
    assert ask(BlobReader(None), named, BlobRequest(digest=digest, offset=0, length=1)).refused == "unavailable"


class Exhausted:
    """A store whose disk, or whose service, does not answer."""

    def put(
        self, tenant_id: UUID, chunks: Iterable[bytes], *, limit_bytes: int, announced: str | None = None
    ) -> StoredObject:
        raise OSError(28, "No space left on device")

    def size_bytes(self, tenant_id: UUID, digest: str) -> int | None:
        raise OSError(5, "Input/output error")

    def read(self, tenant_id: UUID, digest: str, first: int = 0) -> Iterator[bytes]:
        raise OSError(24, "Too many open files")

    def delete(self, tenant_id: UUID, digest: str) -> None:
        raise OSError(5, "Input/output error")


def test_a_store_that_is_exhausted_gives_a_reason_by_which_the_edge_asks_later() -> None:
    store: ObjectStore = Exhausted()
    piece = ask(BlobReader(store), {"d" * 64: 10}, BlobRequest(digest="d" * 64, offset=0, length=1))
    assert piece.refused == "unavailable"


def publish_blobs(databases: Databases, customer: Customer, *blobs: Blob) -> None:
    """The site's next version, which names these and nothing else."""
    with databases.worker.session(customer.scope) as session:
        newest = latest_snapshot(session, customer.site_id)
    if newest is None:
        publish_site(databases.worker, customer.scope, customer.site_id, "test")
        publish_blobs(databases, customer, *blobs)
        return
    named = tuple(sorted(blobs, key=lambda blob: blob.digest))
    snapshot = newest.model_copy(update={"version": newest.version + 1, "blobs": named})
    with databases.worker.session(customer.scope) as session:
        session.add(
            SnapshotRow(
                tenant_id=customer.tenant_id,
                site_id=customer.site_id,
                version=snapshot.version,
                digest=snapshot_digest(snapshot),
                content=snapshot.model_dump(mode="json"),
                cause="test",
            )
        )


def known_edge(databases: Databases, customer: Customer) -> KnownEdge:
    known = enrolled_edge(databases.api, customer, CLOCK.now()).known
    assert known.identity_key is not None
    assert known.sealing_key is not None
    return KnownEdge(
        str(known.edge_id), str(known.site_id), str(known.tenant_id), known.identity_key, known.sealing_key
    )


def test_an_edge_gets_what_its_own_snapshots_name_and_nothing_of_another_tenant(
    databases: Databases, tmp_path: Path
) -> None:
    ours, theirs = new_customer(databases.api), new_customer(databases.api)
    our_edge, their_edge = known_edge(databases, ours), known_edge(databases, theirs)
    objects = FolderStore(tmp_path / "objects", TOKENS)
    secret, shared = b"theirs alone", b"the same bytes at both"
    for customer, content in ((theirs, secret), (theirs, shared)):
        objects.put(customer.tenant_id, [content], limit_bytes=100)
    store = PbxStore(databases.hub, key_service(), CLOCK, TOKENS, 10.0, objects)

    def piece(edge: KnownEdge, content: bytes) -> BlobPiece:
        request = BlobRequest(digest=digest_of(content), offset=0, length=100)
        answer = store.answer(FetchPiece(edge, request))
        assert isinstance(answer, PieceFetched)
        return answer.piece

    publish_blobs(databases, theirs, *(Blob(digest=digest_of(each), size_bytes=len(each)) for each in (secret, shared)))
    publish_blobs(databases, ours, Blob(digest=digest_of(shared), size_bytes=len(shared)))
    assert piece(their_edge, secret).data == secret
    assert piece(our_edge, secret).refused == "not_named"
    assert piece(our_edge, shared).refused == "missing", "the same bytes of two tenants are two objects"
    objects.put(ours.tenant_id, [shared], limit_bytes=100)
    assert piece(our_edge, shared).data == shared


def test_a_blob_that_a_newer_version_names_may_be_asked_for_at_once_and_an_old_one_for_two_versions_more(
    databases: Databases, tmp_path: Path
) -> None:
    customer = new_customer(databases.api)
    edge = known_edge(databases, customer)
    objects = FolderStore(tmp_path / "objects", TOKENS)
    store = PbxStore(databases.hub, key_service(), CLOCK, TOKENS, 10.0, objects)

    def may_have(content: bytes) -> bool:
        request = BlobRequest(digest=digest_of(content), offset=0, length=100)
        answer = store.answer(FetchPiece(edge, request))
        assert isinstance(answer, PieceFetched)
        return answer.piece.data == content

    versions = [b"one", b"two", b"three", b"four"]
    for content in versions:
        objects.put(customer.tenant_id, [content], limit_bytes=100)
        assert not may_have(content)
        publish_blobs(databases, customer, Blob(digest=digest_of(content), size_bytes=len(content)))
        assert may_have(content)
    assert [may_have(content) for content in versions] == [False, True, True, True]
