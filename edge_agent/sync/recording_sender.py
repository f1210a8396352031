"""Sends recordings to the cloud: one piece at a time, on from where the cloud says that it is.

Neighbours may rely on: one recording at a time, the longest waiting first; after a megabyte it is asked again which,
so that a long one holds up nothing that goes before it; a failure of one holds up no other and is tried again after a
wait that doubles; files are read in threads; nothing is sent while the site says that recordings stay.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from contract.sync.messages import RecordingKept, RecordingPiece
from contract.values import Digest
from edge_agent.clock import Clock
from edge_agent.sync.errors import SyncError
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 64 * 1024
"""What a change has to wait for on the site's line at most; half a second at 1 Mbit/s."""
PIECES_IN_TURN: Final = 16
"""Of one recording before it is asked again which one is next."""
LONGEST_REST_SECONDS: Final = 5.0
RETRY_FIRST_SECONDS: Final = 1.0
"""Short: most often the cloud has not yet taken in the event that names the recording."""
RETRY_LONGEST_SECONDS: Final = 900.0
MAX_FAILURES: Final = 10_000
"""Recordings whose failures are remembered."""


@dataclass(frozen=True, slots=True)
class WaitingRecording:
    """A recording that the cloud does not have.

    Args:
        digest: its SHA-256.
        size_bytes: of the file.
        read: gives its bytes from one on, as many as asked for or up to its end; waits for the disk, and raises
            `OSError`.
        gently: rest after each piece for as long as it took, so that half of the site's line at most is taken.
    """

    digest: Digest
    size_bytes: int
    read: Callable[[int, int], bytes]
    gently: bool = False


class Recordings(Protocol):
    """Where recordings wait. Called in threads."""

    def waiting(self, beside: Collection[Digest]) -> WaitingRecording | None:
        """The next one, leaving out those `beside`; None when there is none."""
        ...

    def sent(self, digest: Digest) -> None:
        """The cloud has it, or it is no longer here."""
        ...


class SendsPieces(Protocol):
    """The channel, as the sender uses it."""

    def send_recording(self, piece: RecordingPiece) -> bool:
        """Send it; whether that could be done. The answer comes by `RecordingSender.take`."""
        ...


class _ChannelGone(SyncError):
    """The channel ended before the answer came."""


class _NotKept(SyncError):
    """The cloud does not take it; the text says why."""


@dataclass(slots=True)
class _Failure:
    attempts: int
    again_at: float
    """On the monotonic clock."""


class RecordingSender:
    """Brings recordings to the cloud.

    Args:
        recordings: those that wait.
        clock: for waits.
        tokens: jitter.
    """

    def __init__(self, recordings: Recordings, clock: Clock, tokens: Tokens) -> None:
        self._recordings, self._clock, self._tokens = recordings, clock, tokens
        self.channel: SendsPieces | None = None
        """Set by whoever owns it."""
        self.on_hub: Callable[[bool], None] = lambda _takes: None
        """Called at each welcome: whether this hub takes messages."""
        self.on_hub_for_calls: Callable[[bool, bool], None] = lambda _takes, _takes_all: None
        """The same: whether it takes recordings of calls, and all that are told of beside."""
        self._allowed = False
        self._online = False
        self._changed = asyncio.Event()
        self._answer: asyncio.Future[RecordingKept] | None = None
        self._failures: dict[Digest, _Failure] = {}

    def allow(self, *, allowed: bool) -> None:
        """Whether the site's recordings may leave it."""
        if allowed and not self._allowed:
            self._failures.clear()
        self._allowed = allowed
        self._changed.set()

    def look_again(self) -> None:
        """There may be something new."""
        self._changed.set()

    def go_online(
        self, *, takes: bool, takes_calls: bool = False, takes_faxes: bool = False, takes_conferences: bool = False
    ) -> None:
        """The hub has welcomed this edge.

        Args:
            takes: it takes recordings, which older ones do not.
            takes_calls: also those of calls.
            takes_faxes: and messages that are faxes.
            takes_conferences: and recordings of conferences.
        """
        self._online = takes
        self.on_hub(takes and takes_faxes)
        self.on_hub_for_calls(takes and takes_calls, takes and takes_calls and takes_conferences)
        self._changed.set()

    def go_offline(self) -> None:
        """The connection is gone, and with it the answer that was due."""
        self._online = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_ChannelGone("the channel ended"))

    def take(self, kept: RecordingKept) -> None:
        """What the hub says to the last piece."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(kept)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._changed.clear()
            recording = None
            if self._online and self._allowed:
                recording = await asyncio.to_thread(self._recordings.waiting, self._resting())
            if recording is None:
                await self._until_changed(self._wait() if self._online and self._allowed else None)
                continue
            try:
                await self._send(recording)
            except _ChannelGone:
                continue
            except (_NotKept, OSError) as error:
                self._failed(recording, error)

    def _resting(self) -> frozenset[Digest]:
        now = self._clock.monotonic()
        return frozenset(digest for digest, one in self._failures.items() if one.again_at > now)

    def _wait(self) -> float | None:
        now = self._clock.monotonic()
        return min((max(0.05, one.again_at - now) for one in self._failures.values()), default=None)

    async def _until_changed(self, seconds: float | None) -> None:
        # Not `wait_for`: where both come at once, it returns instead of ending when it is cancelled.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _send(self, recording: WaitingRecording) -> None:
        kept = await self._tell(RecordingPiece(digest=recording.digest, offset=0))
        restarts = pieces = 0
        while not kept.complete:
            if not self._allowed or pieces == PIECES_IN_TURN:
                return
            began = self._clock.monotonic()
            data = await asyncio.to_thread(recording.read, kept.offset, PIECE_BYTES)
            if not data:
                raise _NotKept("the file is shorter than it was")
            offset = kept.offset
            kept = await self._tell(RecordingPiece(digest=recording.digest, offset=offset, data=data))
            pieces += 1
            if recording.gently:
                await _rest(min(self._clock.monotonic() - began, LONGEST_REST_SECONDS))
            if not kept.complete and kept.offset <= offset:
                restarts += 1
                if restarts > 3:
                    raise _NotKept("the cloud does not get on with it")
        await asyncio.to_thread(self._recordings.sent, recording.digest)
        self._failures.pop(recording.digest, None)
        log.info("recording_sent", extra={"digest": recording.digest, "size_bytes": recording.size_bytes})

    async def _tell(self, piece: RecordingPiece) -> RecordingKept:
        """Send one piece, and what the hub says to it.

        Raises:
            _ChannelGone: it cannot be sent, or the channel ended meanwhile.
            _NotKept: the hub refuses it.
        """
        self._answer = asyncio.get_running_loop().create_future()
        try:
            if not self._online or self.channel is None or not self.channel.send_recording(piece):
                self._online = False  # until the next welcome says otherwise
                raise _ChannelGone("the channel is not there")
            kept = await self._answer
        finally:
            self._answer = None
        if kept.refused is not None:
            raise _NotKept(kept.refused)
        return kept

    def _failed(self, recording: WaitingRecording, error: Exception) -> None:
        before = self._failures.pop(recording.digest, None)
        attempts = before.attempts + 1 if before is not None else 1
        longest = min(RETRY_LONGEST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(attempts - 1, 16))
        again_at = self._clock.monotonic() + longest * (0.5 + self._tokens.fraction() / 2)
        while len(self._failures) >= MAX_FAILURES:
            self._failures.pop(next(iter(self._failures)))
        self._failures[recording.digest] = _Failure(attempts, again_at)
        level = logging.INFO if attempts < 4 else logging.WARNING
        log.log(
            level,
            "recording_not_sent",
            extra={"digest": recording.digest, "problem": str(error), "attempts": attempts},
        )


def reads(path: Path) -> Callable[[int, int], bytes]:
    """What reads a file for `WaitingRecording`."""

    def read(offset: int, most: int) -> bytes:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(most)

    return read


async def _rest(seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
