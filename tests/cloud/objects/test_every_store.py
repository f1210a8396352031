"""What every object store keeps to: by digest, whole, one tenant's objects apart from another's."""

import hashlib
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.objects import CHUNK_BYTES, ObjectMissing, ObjectStore, ObjectTooLarge, ObjectUnlikeItsDigest, StoredObject

ACME = UUID(int=1)
OTHER = UUID(int=2)
LIMIT = 1_000_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_was_put_is_read_back_by_its_digest(store: ObjectStore) -> None:
    stored = store.put(ACME, [b"firm", b"", b"ware"], limit_bytes=LIMIT)
    assert stored == StoredObject(sha256(b"firmware"), 8)
    assert store.size_bytes(ACME, stored.digest) == 8
    assert b"".join(store.read(ACME, stored.digest)) == b"firmware"
    assert b"".join(store.read(ACME, stored.digest, first=4)) == b"ware"
    assert b"".join(store.read(ACME, stored.digest, first=9)) == b""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(pieces=st.lists(st.binary(max_size=200), max_size=8), first=st.integers(0, 1700))
def test_any_division_into_pieces_gives_the_same_object(store: ObjectStore, pieces: list[bytes], first: int) -> None:
    whole = b"".join(pieces)
    stored = store.put(ACME, pieces, limit_bytes=LIMIT)
    assert stored == store.put(ACME, [whole], limit_bytes=LIMIT, announced=sha256(whole))
    assert b"".join(store.read(ACME, stored.digest, first)) == whole[first:]


def test_a_tenant_neither_sees_nor_reads_nor_deletes_anothers_object(store: ObjectStore) -> None:
    digest = store.put(ACME, [b"secret prompt"], limit_bytes=LIMIT).digest
    assert store.size_bytes(OTHER, digest) is None
    with pytest.raises(ObjectMissing):
        store.read(OTHER, digest)
    store.delete(OTHER, digest)
    assert store.size_bytes(ACME, digest) == 13


def test_the_same_bytes_of_two_tenants_are_two_objects(store: ObjectStore) -> None:
    digest = store.put(ACME, [b"x"], limit_bytes=LIMIT).digest
    assert store.put(OTHER, [b"x"], limit_bytes=LIMIT).digest == digest
    store.delete(ACME, digest)
    assert b"".join(store.read(OTHER, digest)) == b"x"


def test_deleting_twice_is_no_error_and_a_reader_reads_to_the_end(store: ObjectStore) -> None:
    content = bytes(CHUNK_BYTES) + b"end"
    digest = store.put(ACME, [content], limit_bytes=LIMIT).digest
    reader = store.read(ACME, digest)
    first = next(reader)
    store.delete(ACME, digest)
    store.delete(ACME, digest)
    assert store.size_bytes(ACME, digest) is None
    assert first + b"".join(reader) == content


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "/etc/passwd"])
def test_what_is_no_digest_is_no_path(store: ObjectStore, name: str) -> None:
    assert store.size_bytes(ACME, name) is None
    store.delete(ACME, name)
    with pytest.raises(ObjectMissing):
        store.read(ACME, name)


def test_what_is_too_large_or_unlike_its_digest_is_not_there_afterwards(store: ObjectStore) -> None:
    content = b"refused twice"
    with pytest.raises(ObjectTooLarge):
        store.put(ACME, [content], limit_bytes=len(content) - 1)
    with pytest.raises(ObjectUnlikeItsDigest):
        store.put(ACME, [content], limit_bytes=LIMIT, announced=sha256(b"something else"))
    assert store.size_bytes(ACME, sha256(content)) is None
