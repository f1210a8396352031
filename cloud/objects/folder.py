"""Objects in a folder: what one machine has in the place of S3.

`<root>/<tenant>/<first two digits>/<digest>` holds an object, `<root>/incoming/` what is still arriving. Each file
that arrives is locked by its writer for as long as the writer lives, so `sweep` removes exactly what a killed
process left, however many processes share the folder.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from cloud.objects.errors import ObjectMissing
from cloud.objects.store import CHUNK_BYTES, StoredObject
from cloud.objects.taking import take
from cloud.tokens import Tokens
from contract.values import Digest

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class FolderStore:
    """An `ObjectStore` on a local disk.

    Args:
        root: its folder; made when the first object comes, for its owner alone, in a folder that is there.
        tokens: names what arrives.
    """

    def __init__(self, root: Path, tokens: Tokens) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._tokens = tokens

    def put(
        self, tenant_id: UUID, chunks: Iterable[bytes], *, limit_bytes: int, announced: Digest | None = None
    ) -> StoredObject:
        """See `ObjectStore.put`."""
        for folder in (self._root, self._incoming):
            folder.mkdir(mode=0o700, exist_ok=True)
        aside, file = self._open_aside()
        try:
            with file:
                taken = take(chunks, file.write, limit_bytes, announced)
                file.flush()
                os.fsync(file.fileno())
                place = self._place(tenant_id, taken.digest)
                for folder in (place.parent.parent, place.parent):
                    folder.mkdir(mode=0o700, exist_ok=True)
                aside.replace(place)
        finally:
            aside.unlink(missing_ok=True)
        for folder in (place.parent, place.parent.parent, self._root):
            _flush_folder(folder)
        return taken

    def size_bytes(self, tenant_id: UUID, digest: Digest) -> int | None:
        """See `ObjectStore.size_bytes`."""
        with suppress(FileNotFoundError, ObjectMissing):
            return self._place(tenant_id, digest).stat().st_size
        return None

    def read(self, tenant_id: UUID, digest: Digest, first: int = 0) -> Iterator[bytes]:
        """See `ObjectStore.read`."""
        try:
            file = self._place(tenant_id, digest).open("rb")
        except FileNotFoundError:
            raise ObjectMissing(digest) from None
        file.seek(first)
        return _pieces(file)

    def delete(self, tenant_id: UUID, digest: Digest) -> None:
        """See `ObjectStore.delete`."""
        with suppress(ObjectMissing):
            self._place(tenant_id, digest).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what writers that are gone left unfinished; whoever still writes is not disturbed.

        Returns:
            How many files went.
        """
        removed = 0
        for left in self._incoming.glob("*"):
            try:
                file = left.open("rb")
            except FileNotFoundError:  # finished meanwhile
                continue
            with file, suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Only the file that is locked: its writer may have given it its name between the two steps.
                if os.fstat(file.fileno()).st_nlink and left.exists():
                    left.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _open_aside(self) -> tuple[Path, BinaryIO]:
        """A new file that this process has locked; another one when a sweep came between making and locking it."""
        while True:
            path = self._incoming / self._tokens.id().hex
            file = path.open("xb")
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return path, file
            file.close()

    def _place(self, tenant_id: UUID, digest: Digest) -> Path:
        """Where an object is; no text of a caller's becomes a path before it has proved to be a digest."""
        if not _DIGEST.fullmatch(digest):
            raise ObjectMissing(digest)
        return self._root / str(tenant_id) / digest[:2] / digest


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _flush_folder(folder: Path) -> None:
    """Make names in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
