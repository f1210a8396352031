"""The object store of one machine: what a killed writer, a full limit and other users find on its disk."""

import hashlib
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from cloud.clock import SystemClock
from cloud.objects import (
    CHUNK_BYTES,
    FolderStore,
    ObjectStore,
    ObjectTooLarge,
    ObjectUnlikeItsDigest,
)
from cloud.tokens import SystemTokens

ACME = UUID(int=1)
OTHER = UUID(int=2)
LIMIT = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects", SystemTokens(SystemClock()))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_object_of_exactly_the_limit_is_taken_and_one_byte_more_leaves_nothing(
    store: ObjectStore, tmp_path: Path
) -> None:
    store.put(ACME, [b"1234", b"5678"], limit_bytes=8)
    before = files(tmp_path)
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"1234"

    with pytest.raises(ObjectTooLarge, match="larger than 8 bytes"):
        store.put(ACME, endless(), limit_bytes=8)
    assert asked == 3
    assert files(tmp_path) == before


def test_other_bytes_than_announced_leave_nothing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectUnlikeItsDigest) as refused:
        store.put(ACME, [b"changed on the way"], limit_bytes=LIMIT, announced=sha256(b"as it was"))
    assert refused.value.found == sha256(b"changed on the way")
    assert files(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half of it"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(ACME, broken(), limit_bytes=LIMIT)
    assert files(tmp_path) == []


def test_only_the_owner_may_look_into_the_folder(store: ObjectStore, tmp_path: Path) -> None:
    store.put(ACME, [b"x"], limit_bytes=LIMIT)
    folders = [path for path in (tmp_path / "objects").rglob("*") if path.is_dir()]
    assert folders
    assert all(path.stat().st_mode & 0o077 == 0 for path in folders)


WRITER = """
import sys
from pathlib import Path
from uuid import UUID
from cloud.objects import FolderStore
from cloud.clock import SystemClock
from cloud.tokens import SystemTokens

def chunks():
    yield bytes(100_000)
    print("arriving", flush=True)
    sys.stdin.read()

FolderStore(Path(sys.argv[1]), SystemTokens(SystemClock())).put(UUID(int=1), chunks(), limit_bytes=1_000_000)
"""


def test_a_sweep_removes_what_a_killed_writer_left_and_nothing_of_a_living_one(
    store: FolderStore, tmp_path: Path
) -> None:
    kept = store.put(ACME, [b"acknowledged"], limit_bytes=LIMIT).digest
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "objects")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"arriving\n"
        assert store.sweep() == 0
        assert len(files(tmp_path)) == 2
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=30)
    finally:
        writer.kill()
        writer.communicate()
    assert store.sweep() == 1
    assert [path.name for path in files(tmp_path)] == [kept]
    assert store.sweep() == 0


def test_a_large_object_is_never_whole_in_memory(store: ObjectStore) -> None:
    piece = bytes(1024 * 1024)

    def firmware() -> Iterable[bytes]:
        return (piece for _ in range(200))

    tracemalloc.start()
    try:
        stored = store.put(ACME, firmware(), limit_bytes=200 * len(piece))
        assert sum(map(len, store.read(ACME, stored.digest))) == 200 * len(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * CHUNK_BYTES
