"""The large files of the site: which are named, which are wanted now, and whether a snapshot has those that it needs.

Named is what the snapshots on the disk name, and the one that waits; wanted is what the one that runs and the one that
waits name. A needed file that is missing keeps a snapshot from running; firmware never does.
"""

from pathlib import Path
from typing import Final

from contract.snapshot import Blob, Snapshot
from contract.values import Digest
from edge_agent.blob_cache import FOLDER, BlobCache
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.sync.blob_fetcher import BlobFetcher
from edge_agent.tokens import Tokens

_SHOWN: Final = 5


class SiteBlobs:
    """Tells cache and fetcher what the site's snapshots name.

    Args:
        state_dir: the agent's.
        limit_bytes: how much the files may take altogether.
        reporter: hears of each that came, and why one does not.
        clock, tokens: for waits.
    """

    def __init__(self, state_dir: Path, limit_bytes: int, reporter: Reporter, clock: Clock, tokens: Tokens) -> None:
        self._cache = BlobCache(state_dir / FOLDER, limit_bytes)
        self.fetcher = BlobFetcher(self._cache, reporter, clock, tokens)
        """Brings the files; the channel's."""
        self._before: frozenset[Digest] = frozenset()
        self._running: tuple[Blob, ...] = ()

    def begin(self, snapshot: Snapshot | None, kept: frozenset[Digest]) -> None:
        """The agent starts with this snapshot.

        Args:
            kept: what the snapshots on disk name, rolled-back ones included.
        """
        self._before = kept
        self._running = snapshot.blobs if snapshot is not None else ()
        self._say(())

    def runs(self, snapshot: Snapshot) -> None:
        """This snapshot runs and is on the disk, beside the one before; what waited is forgotten."""
        self._before = frozenset(blob.digest for blob in self._running)
        self._running = snapshot.blobs
        self._say(())

    def problems(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Why a snapshot cannot run yet: a line for each needed file that is missing. From now on they are fetched."""
        missing = self._cache.missing(blob.digest for blob in snapshot.blobs if blob.needed)
        if not missing:
            return ()
        self._say(snapshot.blobs)
        sizes = {blob.digest: blob.size_bytes for blob in snapshot.blobs}
        lines = [f"file {digest} of {sizes[digest]} bytes {self._state(digest)}" for digest in missing[:_SHOWN]]
        if len(missing) > _SHOWN:
            lines.append(f"and {len(missing) - _SHOWN} more files are not here yet")
        return tuple(lines)

    def _state(self, digest: Digest) -> str:
        why = self.fetcher.why_missing(digest)
        if why:
            return f"is not here: {why}"
        progress = self.fetcher.progress
        if progress is not None and progress[0] == digest:
            return f"is on its way: {progress[1]} bytes are here"
        return "is on its way"

    def _say(self, waiting: tuple[Blob, ...]) -> None:
        wanted = {blob.digest: blob for blob in (*self._running, *waiting)}
        self._cache.name((*wanted, *self._before))
        self.fetcher.want(wanted.values())
