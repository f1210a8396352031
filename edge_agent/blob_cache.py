"""Blobs on the edge's disk: files that a snapshot names by digest, fetched once and there with the cloud cut.

Neighbours may rely on: what `find` gives is whole and has the digest it was asked by; a download goes on where
`kill -9` ended it; what the kept snapshots name is never evicted, and what none names goes only when room is needed.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

from contract.snapshot import MAX_BLOB_BYTES
from contract.values import Digest
from edge_agent.durable_file import flush_folder
from edge_agent.errors import EdgeError

FOLDER: Final = "blobs"
"""Of the cache, in the agent's state folder."""
_READ_BYTES: Final = 256 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = ".part"


class BlobRefused(EdgeError):
    """A blob is not kept; the text says why."""


class WrongBlob(BlobRefused):
    """What came is not what was announced; it has been thrown away, so that the next attempt begins anew.

    Args:
        digest: what was to come.
        found: what came.
    """

    def __init__(self, digest: Digest, found: str) -> None:
        super().__init__(f"blob {digest}: {found} came")
        self.digest = digest


class NoRoom(BlobRefused):
    """The cache is full of what snapshots name.

    Args:
        digest: what does not fit.
        size_bytes: how large it is.
        limit_bytes: how much the cache may hold.
    """

    def __init__(self, digest: Digest, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"blob {digest}: {size_bytes} bytes do not fit beside what is needed; the cache may hold {limit_bytes}"
        )
        self.digest = digest


class Download:
    """A blob that is arriving; made by `BlobCache.begin`, used in a `with` statement.

    Args:
        path: where its bytes gather.
        place: where it will be when it is whole.
        digest: what it is to be.
        size_bytes: how long it is to be.
    """

    def __init__(self, path: Path, place: Path, digest: Digest, size_bytes: int) -> None:
        self._path = path
        self._place = place
        self._digest = digest
        self._size = size_bytes
        self._found = hashlib.sha256()
        self._file: BinaryIO = path.open("a+b", buffering=0)
        self._file.seek(0)
        self.offset = 0
        """How many bytes are here: the number of the byte to ask for next."""
        while chunk := self._file.read(_READ_BYTES):
            self._found.update(chunk)
            self.offset += len(chunk)
        if self.offset > size_bytes:
            self._start_anew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; what is here and not finished stays for another attempt."""
        self._file.close()

    @property
    def is_complete(self) -> bool:
        """Whether as many bytes are here as there are to be."""
        return self.offset == self._size

    def write(self, chunk: bytes) -> None:
        """Add what came next; it survives `kill -9` when this returns.

        Raises:
            WrongBlob: more came than was announced.
            OSError: the disk would not.
        """
        if self.offset + len(chunk) > self._size:
            self._discard()
            raise WrongBlob(self._digest, f"more than the announced {self._size} bytes")
        rest = memoryview(chunk)
        while rest:
            written = self._file.write(rest)
            self._found.update(rest[:written])
            self.offset += written
            rest = rest[written:]

    def finish(self) -> Path:
        """Give the blob its name; it survives a loss of power when this returns.

        Returns:
            Where it is.

        Raises:
            BlobRefused: it is not complete yet; what is here stays.
            WrongBlob: it has another digest.
            OSError: the disk would not.
        """
        if not self.is_complete:
            raise BlobRefused(f"blob {self._digest}: {self.offset} of {self._size} bytes are here")
        if (found := self._found.hexdigest()) != self._digest:
            self._discard()
            raise WrongBlob(self._digest, f"one of digest {found}")
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(self._place)
        flush_folder(self._place.parent)
        return self._place

    def _start_anew(self) -> None:
        self._file.truncate(0)
        self._found = hashlib.sha256()
        self.offset = 0

    def _discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class BlobCache:
    """The folder of blobs; one process writes it, others read the files by their paths.

    Args:
        folder: made when the first blob comes, for its owner alone.
        limit_bytes: how much it may hold, with what the download under way will grow to.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._named: frozenset[Digest] = frozenset()

    def name(self, digests: Iterable[Digest]) -> None:
        """Say what the kept snapshots name: all of it, in the place of what was said before."""
        self._named = frozenset(digests)

    def find(self, digest: Digest) -> Path | None:
        """Where a blob is; None when it is not here, or not yet whole."""
        if not _DIGEST.fullmatch(digest):
            return None
        place = self._folder / digest
        return place if place.is_file() else None

    def missing(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """Those of some digests that are not here, each once, in their order."""
        return tuple(digest for digest in dict.fromkeys(digests) if self.find(digest) is None)

    def begin(self, digest: Digest, size_bytes: int) -> Download:
        """Begin to fetch a blob, or go on where an earlier attempt ended.

        Args:
            digest: what it is; one download at a time.
            size_bytes: how large the manifest says it is.

        Raises:
            BlobRefused: this is no digest, or no size that a blob may have.
            NoRoom: it does not fit beside what is needed.
            OSError: the disk would not.
        """
        if not _DIGEST.fullmatch(digest):
            raise BlobRefused("that is no SHA-256 in lower-case hexadecimal")
        if not 0 <= size_bytes <= MAX_BLOB_BYTES:
            raise BlobRefused(f"blob {digest}: {size_bytes} bytes; a blob has at most {MAX_BLOB_BYTES}")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(digest, size_bytes)
        return Download(self._folder / f"{digest}{_PART}", self._folder / digest, digest, size_bytes)

    def _make_room(self, digest: Digest, size_bytes: int) -> None:
        """Evict what no snapshot names, oldest first, until there is room; nothing when there cannot be."""
        held: list[tuple[bool, float, int, Path]] = []
        for path in self._folder.iterdir():
            if path.name == f"{digest}{_PART}":
                continue  # counted with what it will grow to
            with suppress(FileNotFoundError):
                status = path.stat()
                held.append((path.name.removesuffix(_PART) in self._named, status.st_mtime, status.st_size, path))
        excess = sum(size for _, _, size, _ in held) + size_bytes - self._limit
        if sum(size for named, _, size, _ in held if not named) < excess:
            raise NoRoom(digest, size_bytes, self._limit)
        for _, _, size, path in sorted(entry for entry in held if not entry[0]):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size
