"""Taking what arrives, piece by piece: counted, hashed, and refused when it is too much or something else."""

import hashlib
from collections.abc import Callable, Iterable

from cloud.objects.errors import ObjectTooLarge, ObjectUnlikeItsDigest
from cloud.objects.store import StoredObject
from contract.values import Digest


def take(
    chunks: Iterable[bytes], write: Callable[[bytes], object], limit_bytes: int, announced: Digest | None
) -> StoredObject:
    """Write what comes, and say what it was.

    Args:
        chunks: as `ObjectStore.put` has them.
        write: takes each piece.
        limit_bytes: likewise.
        announced: likewise.

    Raises:
        ObjectTooLarge: more came; the piece beyond is not written.
        ObjectUnlikeItsDigest: other bytes came.
    """
    found = hashlib.sha256()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit_bytes:
            raise ObjectTooLarge(limit_bytes)
        found.update(chunk)
        write(chunk)
    digest = found.hexdigest()
    if announced is not None and announced != digest:
        raise ObjectUnlikeItsDigest(announced, digest)
    return StoredObject(digest, size)
