"""Pieces of blobs from the object store, for the edges whose snapshots name them; called in threads."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

from cloud.hub.questions import FetchPiece, PieceFetched
from cloud.objects import ObjectMissing, ObjectsError, ObjectStore
from contract.sync.messages import BlobPiece, NoPiece
from contract.values import Digest

log = logging.getLogger(__name__)

_SITES_KEPT: Final = 500


class BlobReader:
    """Reads what edges ask for, from their own tenant's objects only.

    Args:
        objects: where they are; None: there is no store, and every request is told so.
    """

    def __init__(self, objects: ObjectStore | None) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._named: OrderedDict[str, tuple[int, Mapping[Digest, int]]] = OrderedDict()

    def known(self, site_id: str, version: int) -> Mapping[Digest, int] | None:
        """What `keep` was told of a site; None when that was of another version, or too long ago."""
        with self._lock:
            kept = self._named.get(site_id)
            return kept[1] if kept is not None and kept[0] == version else None

    def keep(self, site_id: str, version: int, named: Mapping[Digest, int]) -> None:
        """Remember which blobs the snapshots of a site name.

        Args:
            version: the newest that was published.
            named: sizes by digest.
        """
        with self._lock:
            self._named[site_id] = (version, named)
            self._named.move_to_end(site_id)
            while len(self._named) > _SITES_KEPT:
                self._named.popitem(last=False)

    def read(self, question: FetchPiece, named: Mapping[Digest, int]) -> PieceFetched:
        """A piece, or why there is none.

        Args:
            question: what is asked for.
            named: sizes of the blobs that the site's snapshots name.
        """
        asked = question.request

        def refused(why: NoPiece) -> PieceFetched:
            return PieceFetched(BlobPiece(digest=asked.digest, offset=asked.offset, refused=why))

        size = named.get(asked.digest)
        if size is None:
            return refused("not_named")
        if asked.offset >= size:
            return refused("past_the_end")
        if self._objects is None:
            return refused("unavailable")
        try:
            data = _first(self._objects.read(UUID(question.edge.tenant_id), asked.digest, asked.offset), asked.length)
        except ObjectMissing:
            log.error("blob_missing", extra={"tenant_id": question.edge.tenant_id, "digest": asked.digest})  # noqa: TRY400
            return refused("missing")
        except (ObjectsError, OSError) as error:
            log.warning("blob_unreadable", extra={"digest": asked.digest, "problem": type(error).__name__})
            return refused("unavailable")
        if not data:
            return refused("past_the_end")
        return PieceFetched(BlobPiece(digest=asked.digest, offset=asked.offset, data=data))


def _first(chunks: Iterator[bytes], length: int) -> bytes:
    """The first of the chunks, cut to a length; nothing more is read."""
    data = next(chunks, b"")
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
    return data[:length]
