"""Firmware in a bucket: brought there past the API, read from there by the hub; a bucket that is silent is told so."""

import hashlib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.api.app import make_services
from cloud.api.settings import PREFIX, read_settings
from cloud.api.uploads import outside_origin
from cloud.api.wsgi import page_headers
from cloud.clock import SystemClock
from cloud.hub.blobs import BlobReader
from cloud.hub.questions import FetchPiece, KnownEdge
from cloud.objects import S3Places, S3Store, s3_client
from cloud.pbx.authority import Authority, FileAuthorityStore
from cloud.pbx.blobs import Files
from contract.sync.messages import BlobRequest
from tests.cloud.api.test_settings import environ
from tests.support.api_world import QUOTA_BYTES, Answer, ApiWorld, make_world
from tests.support.postgres import Databases
from tests.support.s3_stand_in import S3StandIn, logged_in, running_s3

BUCKET = "tandem-test-objects"
ROM = b"the firmware of a phone" * 1000
DIGEST = hashlib.sha256(ROM).hexdigest()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    with running_s3() as bucket:
        logged_in(monkeypatch, bucket)
        yield bucket


@pytest.fixture
def world(databases: Databases, tmp_path: Path, s3: S3StandIn) -> ApiWorld:
    client = s3_client()
    files = Files(S3Store(BUCKET, client), S3Places(BUCKET, client, SystemClock()), QUOTA_BYTES)
    return make_world(databases, tmp_path, files)


def announce(world: ApiWorld) -> Answer:
    return world.admin.post("/firmware-files", {"digest": DIGEST, "size_bytes": len(ROM)})


def bring(place: dict[str, Any]) -> int:
    request = urllib.request.Request(place["url"], ROM, place["headers"], method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)


def test_a_file_is_brought_to_the_bucket_and_becomes_firmware_that_the_hub_reads(
    world: ApiWorld, s3: S3StandIn
) -> None:
    place = announce(world).json["place"]
    assert bring(place) == 200
    assert announce(world).json["place"] is None
    body = {"vendor": "yealink", "models": ["t54w"], "firmware_version": "96.86.0.70"}
    answer = world.admin.post("/firmware", body | {"files": [{"name": "T54W.rom", "digest": DIGEST}]})
    assert answer.status == 201, answer.body
    edge = KnownEdge("edge", str(world.ours.site_id), str(world.ours.tenant_id), b"", b"")
    reader = BlobReader(S3Store(BUCKET, s3_client()))
    asked = FetchPiece(edge, BlobRequest(digest=DIGEST, offset=4, length=8))
    assert reader.read(asked, {DIGEST: len(ROM)}).piece.data == ROM[4:12]
    s3.down = True
    assert reader.read(asked, {DIGEST: len(ROM)}).piece.refused == "unavailable"
    s3.down = False
    s3.versions.clear()
    assert reader.read(asked, {DIGEST: len(ROM)}).piece.refused == "missing"


def test_a_bucket_that_does_not_answer_is_told_so_and_nothing_is_kept(world: ApiWorld, s3: S3StandIn) -> None:
    s3.down = True
    answer = announce(world)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json["detail"] == "The store of large files does not answer; try again in a moment"
    s3.down = False
    assert world.admin.get("/firmware-files/usage").json["used_bytes"] == 0


def test_the_settings_of_the_api_choose_the_bucket(tmp_path: Path, s3: S3StandIn) -> None:
    Authority.open(FileAuthorityStore(tmp_path / "ca.pem"), SystemClock().now())
    files = make_services(read_settings(environ(tmp_path) | {f"{PREFIX}OBJECTS_BUCKET": BUCKET})).files
    assert files is not None
    assert isinstance(files.store, S3Store)
    assert isinstance(files.places, S3Places)


def test_pages_may_speak_to_the_bucket_where_there_is_one_and_to_nobody_else(tmp_path: Path, s3: S3StandIn) -> None:
    clock = SystemClock()
    given = environ(tmp_path)
    assert outside_origin(read_settings(given), clock) is None
    origin = outside_origin(read_settings(given | {f"{PREFIX}OBJECTS_BUCKET": BUCKET}), clock)
    assert origin == s3.url
    assert f"connect-src 'self' {s3.url}" in dict(page_headers(origin))["Content-Security-Policy"]
    policy = dict(page_headers(None))["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "connect-src" not in policy
