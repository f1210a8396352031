"""Fetches the blobs that snapshots name: one piece at a time over the channel, on where the last attempt ended.

Neighbours may rely on: one blob at a time; what is needed comes first; a failure of one holds up no other, is tried
again after a wait that doubles, and is reported when its reason is new; the disk is read and written in threads.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from contract.snapshot import Blob
from contract.sync.events import BlobChanged
from contract.sync.messages import MAX_PIECE_BYTES, BlobPiece
from contract.values import Digest
from edge_agent.blob_cache import BlobCache, BlobRefused, Download
from edge_agent.clock import Clock
from edge_agent.ports import Reporter
from edge_agent.sync.errors import SyncError
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

RETRY_FIRST_SECONDS: Final = 5.0
RETRY_LONGEST_SECONDS: Final = 900.0
_REFUSALS: Final = {
    "not_named": "the cloud says that no snapshot of this site names it",
    "missing": "the cloud has lost it; it has to be uploaded again",
    "past_the_end": "what the cloud has is shorter than the snapshot says",
    "unavailable": "the cloud's store cannot be read at the moment",
}
T = TypeVar("T")


class AsksForPieces(Protocol):
    """The channel, as the fetcher uses it."""

    def ask_piece(self, digest: Digest, offset: int, length: int) -> bool:
        """Ask the hub for a piece; whether that could be sent. The answer comes by `BlobFetcher.take`."""
        ...


class _ChannelGone(SyncError):
    """The channel ended before the piece came."""


class _NoPiece(SyncError):
    """The hub has no piece; the text says why."""


@dataclass(slots=True)
class _Failure:
    text: str
    attempts: int
    again_at: float
    """On the monotonic clock."""


class BlobFetcher:
    """Brings blobs into the cache.

    Args:
        cache: where they lie.
        reporter: hears of each that came, and why one does not.
        clock: for waits.
        tokens: jitter.
    """

    def __init__(self, cache: BlobCache, reporter: Reporter, clock: Clock, tokens: Tokens) -> None:
        self._cache, self._reporter, self._clock, self._tokens = cache, reporter, clock, tokens
        self.channel: AsksForPieces | None = None
        """Asked for pieces while it is online; set by whoever owns it."""
        self.on_came: Callable[[], None] = lambda: None
        """Called after a blob has come, from the event loop's thread."""
        self._wanted: dict[Digest, Blob] = {}
        self._failures: dict[Digest, _Failure] = {}
        self._online = False
        self._changed = asyncio.Event()
        self._piece: asyncio.Future[BlobPiece] | None = None
        self.progress: tuple[Digest, int] | None = None
        """What is being fetched, and how many bytes of it are here; None: nothing."""

    def want(self, blobs: Iterable[Blob]) -> None:
        """Fetch these, in the place of what was wanted before; what is needed first, then the smallest."""
        self._wanted = {
            blob.digest: blob for blob in sorted(blobs, key=lambda blob: (not blob.needed, blob.size_bytes))
        }
        self._failures = {digest: one for digest, one in self._failures.items() if digest in self._wanted}
        self._changed.set()

    def go_online(self, *, hands_out: bool) -> None:
        """The hub has welcomed this edge.

        Args:
            hands_out: whether it hands out blobs; hubs from before that do not.
        """
        self._online = hands_out
        self._changed.set()

    def go_offline(self) -> None:
        """The connection is gone, and with it the answer that was due."""
        self._online = False
        if self._piece is not None and not self._piece.done():
            self._piece.set_exception(_ChannelGone("the channel ended"))

    def take(self, piece: BlobPiece) -> None:
        """The piece that was asked for, or why there is none."""
        if self._piece is not None and not self._piece.done():
            self._piece.set_result(piece)

    def why_missing(self, digest: Digest) -> str:
        """Why a blob is not here, as far as that is known; empty while it is on its way."""
        failure = self._failures.get(digest)
        return failure.text if failure is not None else ""

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            self._changed.clear()
            blob = await asyncio.to_thread(self._next)
            if blob is None or not self._online:
                await self._until_changed(self._wait() if self._online else None)
                continue
            try:
                await self._fetch(blob)
            except _ChannelGone:
                continue
            except (BlobRefused, _NoPiece, OSError) as error:
                self._failed(blob, str(error))
            finally:
                self.progress = None

    def _next(self) -> Blob | None:
        """The next one that is not here and whose turn has come."""
        now = self._clock.monotonic()
        wanted = self._wanted
        missing = self._cache.missing(wanted)
        return next((wanted[digest] for digest in missing if self._may_try(digest, now)), None)

    def _may_try(self, digest: Digest, now: float) -> bool:
        failure = self._failures.get(digest)
        return failure is None or failure.again_at <= now

    def _wait(self) -> float | None:
        now = self._clock.monotonic()
        return min((max(0.05, one.again_at - now) for one in self._failures.values()), default=None)

    async def _until_changed(self, seconds: float | None) -> None:
        # Not `wait_for`: where both come at once, it returns instead of ending when it is cancelled.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _fetch(self, blob: Blob) -> None:
        download = await _in_thread(self._begin, blob)
        with download:
            while not download.is_complete:
                if blob.digest not in self._wanted:
                    return
                self.progress = (blob.digest, download.offset)
                length = min(MAX_PIECE_BYTES, blob.size_bytes - download.offset)
                data = await self._ask(blob.digest, download.offset, length)
                await _in_thread(download.write, data)
            await _in_thread(download.finish)
        self._failures.pop(blob.digest, None)
        log.info("blob_fetched", extra={"digest": blob.digest, "size_bytes": blob.size_bytes})
        self._reporter.report(BlobChanged(state="fetched", digest=blob.digest, size_bytes=blob.size_bytes))
        self.on_came()

    def _begin(self, blob: Blob) -> Download:
        return self._cache.begin(blob.digest, blob.size_bytes)

    async def _ask(self, digest: Digest, offset: int, length: int) -> bytes:
        """One piece.

        Raises:
            _ChannelGone: it cannot be asked for, or the channel ended meanwhile.
            _NoPiece: the hub has none.
        """
        self._piece = asyncio.get_running_loop().create_future()
        try:
            if not self._online or self.channel is None or not self.channel.ask_piece(digest, offset, length):
                self._online = False  # until the next welcome says otherwise
                raise _ChannelGone("the channel is not there")
            piece = await self._piece
        finally:
            self._piece = None
        if piece.refused is not None:
            raise _NoPiece(_REFUSALS[piece.refused])
        return piece.data

    def _failed(self, blob: Blob, text: str) -> None:
        before = self._failures.get(blob.digest)
        attempts = before.attempts + 1 if before is not None else 1
        longest = min(RETRY_LONGEST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(attempts - 1, 16))
        again_at = self._clock.monotonic() + longest * (0.5 + self._tokens.fraction() / 2)
        line = "".join(character for character in text if character.isprintable())[:255]
        self._failures[blob.digest] = _Failure(line, attempts, again_at)
        log.warning("blob_not_fetched", extra={"digest": blob.digest, "problem": line, "attempts": attempts})
        if before is None or before.text != line:
            self._reporter.report(
                BlobChanged(state="failed", digest=blob.digest, size_bytes=blob.size_bytes, text=line)
            )


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Do this in a thread, to its end even when this task is cancelled: a file must not be closed under a write."""
    doing = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise
