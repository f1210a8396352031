"""Every store that there is; S3 as moto speaks it, and as the stand-in that checks signatures and checksums does."""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.clock import SystemClock
from cloud.objects import FolderStore, ObjectStore, S3Store, s3_client
from cloud.tokens import SystemTokens
from tests.support.s3_stand_in import S3StandIn, logged_in, running_s3
from tests.support.waiting import eventually

BUCKET = "tandem-test-objects"


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(url), within=120)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/moto-api/", timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    with running_s3() as bucket:
        logged_in(monkeypatch, bucket)
        yield bucket


@pytest.fixture
def moto_client(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    logged_in(monkeypatch, S3StandIn(moto_url))
    client = s3_client()
    if BUCKET not in {one["Name"] for one in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture(params=["folder", "s3 by moto", "s3 by the stand-in"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects", SystemTokens(SystemClock()))
    if request.param == "s3 by moto":
        return S3Store(BUCKET, request.getfixturevalue("moto_client"))
    request.getfixturevalue("s3")
    return S3Store(BUCKET, s3_client())
