"""S3: presigned places take what was announced and nothing else, and what S3 does not answer is told apart."""

import base64
import hashlib
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cloud.clock import SystemClock
from cloud.objects import CHUNK_BYTES, ObjectMissing, ObjectsUnavailable, S3Places, S3Store, UploadPlace, s3_client
from tests.cloud.objects.conftest import BUCKET
from tests.support.s3_stand_in import S3StandIn

ACME = UUID(int=1)
ROM = b"firmware" * 1000
DIGEST = hashlib.sha256(ROM).hexdigest()


@pytest.fixture
def store(s3: S3StandIn) -> S3Store:
    return S3Store(BUCKET, s3_client())


@pytest.fixture
def place(s3: S3StandIn) -> UploadPlace:
    return S3Places(BUCKET, s3_client(), SystemClock()).place(ACME, DIGEST, len(ROM))


def bring(url: str, headers: Mapping[str, str], content: bytes) -> int:
    request = urllib.request.Request(url, content, dict(headers), method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_a_client_without_a_log_in_brings_what_was_announced(store: S3Store, place: UploadPlace) -> None:
    assert bring(place.url, place.headers, ROM) == 200
    assert store.size_bytes(ACME, DIGEST) == len(ROM)
    assert b"".join(store.read(ACME, DIGEST)) == ROM


def test_a_place_takes_neither_other_bytes_nor_more_nor_fewer(
    store: S3Store, place: UploadPlace, s3: S3StandIn
) -> None:
    assert bring(place.url, place.headers, b"F" + ROM[1:]) == 400
    assert bring(place.url, place.headers, ROM + b"!") == 403
    assert bring(place.url, place.headers, ROM[:-1]) == 403
    assert s3.refusals == ["BadDigest", "SignatureDoesNotMatch", "SignatureDoesNotMatch"]
    assert store.size_bytes(ACME, DIGEST) is None


def test_a_place_is_for_its_own_object_and_digest_only(place: UploadPlace, s3: S3StandIn) -> None:
    other = b"F" + ROM[1:]
    own_digest = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(other).digest()).decode()}
    assert bring(place.url, own_digest, other) == 403
    assert bring(place.url.replace(str(ACME), str(UUID(int=2))), place.headers, ROM) == 403
    assert bring(place.url, {}, ROM) == 403
    assert bring(place.url.partition("?")[0], place.headers, ROM) == 403
    assert s3.versions == {}


def test_a_place_lapses_when_it_says(place: UploadPlace) -> None:
    left = place.expires_at - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert "X-Amz-Expires=3600&" in place.url


def test_the_address_is_the_regions_own_and_holds_no_secret(s3: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    place = S3Places(BUCKET, s3_client(), SystemClock()).place(ACME, DIGEST, len(ROM))
    assert place.url.startswith(f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/objects/{ACME}/{DIGEST}?")
    assert "stand-in" not in place.url
    assert "X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-checksum-sha256" in place.url


def test_who_takes_one_piece_has_s3_send_no_more_than_that(store: S3Store, s3: S3StandIn) -> None:
    content = bytes(3 * CHUNK_BYTES)
    digest = store.put(ACME, [content], limit_bytes=len(content)).digest
    pieces = store.read(ACME, digest, CHUNK_BYTES)
    assert len(next(pieces)) == CHUNK_BYTES
    assert s3.gets == [f"bytes={CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}"]


def test_a_store_that_does_not_answer_is_not_taken_for_a_missing_object(store: S3Store, s3: S3StandIn) -> None:
    store.put(ACME, [ROM], limit_bytes=len(ROM))
    s3.down = True
    for ask in (
        lambda: store.size_bytes(ACME, DIGEST),
        lambda: store.read(ACME, DIGEST),
        lambda: store.delete(ACME, DIGEST),
        lambda: store.put(ACME, [ROM], limit_bytes=len(ROM)),
    ):
        with pytest.raises(ObjectsUnavailable):
            ask()
    s3.down = False
    assert store.size_bytes(ACME, DIGEST) == len(ROM)


def test_a_wrong_log_in_is_not_taken_for_a_missing_object(s3: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(ObjectsUnavailable) as refused:
        S3Store(BUCKET, s3_client()).read(ACME, DIGEST)
    assert refused.value.why == "SignatureDoesNotMatch"
    assert "another" not in str(refused.value)


def test_an_object_that_goes_while_it_is_read_is_told_as_missing(store: S3Store, s3: S3StandIn) -> None:
    content = bytes(2 * CHUNK_BYTES)
    reader = store.read(ACME, store.put(ACME, [content], limit_bytes=len(content)).digest)
    next(reader)
    s3.versions.clear()
    with pytest.raises(ObjectMissing):
        next(reader)


def test_a_large_object_is_never_whole_in_memory(moto_client: object) -> None:
    store = S3Store(BUCKET, moto_client)
    assert b"".join(store.read(ACME, store.put(ACME, [b"first"], limit_bytes=5).digest)) == b"first"
    piece = bytes(1024 * 1024)

    def firmware() -> Iterator[bytes]:
        return (piece for _ in range(40))

    tracemalloc.start()
    try:
        stored = store.put(ACME, firmware(), limit_bytes=40 * len(piece))
        assert sum(map(len, store.read(ACME, stored.digest))) == 40 * len(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * len(piece)
