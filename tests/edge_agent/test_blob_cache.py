"""Blobs on the edge's disk: resumed, verified, bounded, evicted only when no snapshot names them."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.snapshot import MAX_BLOB_BYTES
from edge_agent.blob_cache import BlobCache, BlobRefused, NoRoom, WrongBlob

LIMIT = 1000


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "blobs", LIMIT)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(cache: BlobCache, content: bytes) -> str:
    with cache.begin(sha256(content), len(content)) as download:
        download.write(content[download.offset :])
        download.finish()
    return sha256(content)


def leave(cache: BlobCache, digest: str, size_bytes: int, part: bytes) -> None:
    """A download that breaks off."""
    with cache.begin(digest, size_bytes) as download:
        download.write(part)


def here(cache: BlobCache, digest: str, size_bytes: int) -> int:
    """How many bytes a new attempt need not fetch."""
    with cache.begin(digest, size_bytes) as download:
        return download.offset


def dated(cache: BlobCache, content: bytes, moment: int) -> str:
    """A blob in the cache that was fetched at a moment (seconds since 1970)."""
    digest = fetch(cache, content)
    place = cache.find(digest)
    assert place is not None
    os.utime(place, (moment, moment))
    return digest


def test_a_blob_is_found_when_it_is_whole_and_not_before(cache: BlobCache) -> None:
    digest = sha256(b"firmware")
    with cache.begin(digest, 8) as download:
        download.write(b"firm")
        assert cache.find(digest) is None
        assert cache.missing([digest, digest]) == (digest,)
        download.write(b"ware")
        place = download.finish()
    assert cache.find(digest) == place
    assert place.read_bytes() == b"firmware"
    assert cache.missing([digest]) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(pieces=st.lists(st.binary(min_size=1, max_size=100), max_size=9))
def test_a_download_that_breaks_off_after_any_piece_goes_on_there(tmp_path: Path, pieces: list[bytes]) -> None:
    cache = BlobCache(tmp_path / sha256(repr(pieces).encode()), LIMIT)
    whole = b"".join(pieces)
    written = 0
    for piece in pieces:
        assert here(cache, sha256(whole), len(whole)) == written
        leave(cache, sha256(whole), len(whole), piece)
        written += len(piece)
    with cache.begin(sha256(whole), len(whole)) as download:
        assert download.is_complete
        assert download.finish().read_bytes() == whole


WRITER = """
import sys
from pathlib import Path
from edge_agent.blob_cache import BlobCache

download = BlobCache(Path(sys.argv[1]), 1000).begin(sys.argv[2], 8)
download.write(b"firm")
print("written", flush=True)
sys.stdin.read()
"""


def test_a_download_goes_on_where_kill_9_ended_it(cache: BlobCache, tmp_path: Path) -> None:
    digest = sha256(b"firmware")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "blobs"), digest], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=30)
    finally:
        writer.kill()
        writer.communicate()
    assert cache.find(digest) is None
    with cache.begin(digest, 8) as download:
        assert download.offset == 4
        download.write(b"ware")
        assert download.finish().read_bytes() == b"firmware"


def test_wrong_bytes_are_thrown_away_and_the_next_attempt_begins_anew(cache: BlobCache) -> None:
    digest = sha256(b"firmware")
    with cache.begin(digest, 8) as download:
        download.write(b"malware!")
        with pytest.raises(WrongBlob, match=sha256(b"malware!")):
            download.finish()
    assert cache.find(digest) is None
    assert here(cache, digest, 8) == 0
    assert fetch(cache, b"firmware") == digest


def test_more_than_was_announced_is_refused_before_it_is_written(cache: BlobCache, tmp_path: Path) -> None:
    with cache.begin(sha256(b"firmware"), 8) as download:
        download.write(b"firmware")
        with pytest.raises(WrongBlob, match="more than the announced 8 bytes"):
            download.write(b"!")
    assert list((tmp_path / "blobs").iterdir()) == []


def test_what_is_not_complete_is_not_finished_and_stays(cache: BlobCache) -> None:
    digest = sha256(b"firmware")
    with cache.begin(digest, 8) as download:
        download.write(b"firm")
        with pytest.raises(BlobRefused, match="4 of 8 bytes"):
            download.finish()
    assert here(cache, digest, 8) == 4


def test_a_part_longer_than_the_manifest_says_is_begun_anew(cache: BlobCache) -> None:
    digest = sha256(b"firm")
    leave(cache, digest, 8, b"firmwar")
    assert here(cache, digest, 4) == 0
    assert fetch(cache, b"firm") == digest


def test_room_is_made_of_what_no_snapshot_names_oldest_first(cache: BlobCache) -> None:
    oldest_but_named = dated(cache, b"a" * 300, 1)
    old = dated(cache, b"b" * 300, 2)
    newer = dated(cache, b"c" * 300, 3)
    cache.name([oldest_but_named])
    fetch(cache, b"d" * 100)
    assert cache.missing([oldest_but_named, old, newer]) == ()
    fetch(cache, b"e" * 200)
    assert cache.missing([oldest_but_named, old, newer]) == (old,)


def test_a_blob_that_does_not_fit_beside_what_is_named_is_refused_and_evicts_nothing(cache: BlobCache) -> None:
    named = fetch(cache, b"a" * 600)
    unnamed = fetch(cache, b"b" * 300)
    cache.name([named])
    with pytest.raises(NoRoom, match="401 bytes do not fit"):
        cache.begin(sha256(b"c" * 401), 401)
    assert cache.missing([named, unnamed]) == ()
    fetch(cache, b"c" * 400)
    assert cache.missing([named, unnamed]) == (unnamed,)


def test_an_abandoned_part_gives_way_and_a_named_one_does_not(cache: BlobCache) -> None:
    abandoned, awaited = sha256(b"a" * 400), sha256(b"b" * 400)
    for digest, letter in ((abandoned, b"a"), (awaited, b"b")):
        leave(cache, digest, 400, letter * 300)
    cache.name([awaited])
    fetch(cache, b"c" * 600)
    assert here(cache, awaited, 400) == 300
    assert here(cache, abandoned, 400) == 0


@pytest.mark.parametrize("name", ["../identity.pem", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_digest_is_no_path(cache: BlobCache, name: str) -> None:
    assert cache.find(name) is None
    with pytest.raises(BlobRefused, match="no SHA-256"):
        cache.begin(name, 1)


@pytest.mark.parametrize("size", [-1, MAX_BLOB_BYTES + 1])
def test_a_size_that_no_blob_has_is_refused(cache: BlobCache, size: int) -> None:
    with pytest.raises(BlobRefused, match="at most"):
        cache.begin("0" * 64, size)
