"""The interface of every object store: bytes in and out in pieces, never an object whole in memory.

Neighbours may rely on: an object is there whole or not at all; its bytes never change; a tenant reaches its own
objects only, since every call names the tenant and the same bytes of two tenants are two objects.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from contract.values import Digest

CHUNK_BYTES: Final = 256 * 1024
"""Of what is read at once."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What has been stored.

    Args:
        digest: SHA-256 of its bytes, in lower-case hexadecimal: its name.
        size_bytes: how many they are.
    """

    digest: Digest
    size_bytes: int


class ObjectStore(Protocol):
    """Where objects are kept."""

    def put(
        self, tenant_id: UUID, chunks: Iterable[bytes], *, limit_bytes: int, announced: Digest | None = None
    ) -> StoredObject:
        """Store what comes; acknowledged only when it would survive a loss of power.

        Args:
            tenant_id: whose it is.
            chunks: the bytes in pieces. What their iterator raises is passed on, and nothing is kept.
            limit_bytes: how many there may be; not more than one piece beyond it is asked for.
            announced: the digest that the sender says it has; None takes any.

        Raises:
            ObjectTooLarge: more came.
            ObjectUnlikeItsDigest: other bytes came.
            OSError: the disk would not.
        """
        ...

    def size_bytes(self, tenant_id: UUID, digest: Digest) -> int | None:
        """The size of an object; None when the tenant has none of this digest."""
        ...

    def read(self, tenant_id: UUID, digest: Digest, first: int = 0) -> Iterator[bytes]:
        """The bytes of an object from number `first` on (counted from 0), in pieces of at most `CHUNK_BYTES`.

        Raises:
            ObjectMissing: at the call, not at the first piece.
        """
        ...

    def delete(self, tenant_id: UUID, digest: Digest) -> None:
        """Delete an object; one that is not there is no error. Who reads it now reads it to its end."""
        ...


def read_part(store: ObjectStore, tenant_id: UUID, digest: Digest, first: int, last: int) -> bytes:
    """The bytes of an object from one number to another, which is included.

    Raises:
        ObjectMissing: there is none.
    """
    data = bytearray()
    for chunk in store.read(tenant_id, digest, first):
        data += chunk
        if len(data) > last - first:
            break
    return bytes(data[: last - first + 1])
