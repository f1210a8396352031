"""Records relayed streams: the loop only copies bytes, the disk is written to in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.embedded.rtp import Packet, parse
from edge_agent.media.errors import PromptError, RecordingFailed
from edge_agent.media.recording.announcing import Announcement, Saying
from edge_agent.media.recording.sealed import RATE, SealedWriter
from edge_agent.media.recording.store import MOST_CALL_ID, CallRecording, CallRecordings
from edge_agent.media.recording.tap import FIRST_DYNAMIC, Tap
from edge_agent.ports import RelayedStream

log = logging.getLogger(__name__)

MOST_WAITING_SECONDS: Final = 60
"""What may wait for the disk of one recording before it is given up."""
LEFT_SECONDS: Final = 40.0
"""How long what a kill left waits for its call to go on: longer than the relay keeps streams that nobody names."""
_MANY_PACKETS: Final = 250
"""So many packets without a voice that is known, five seconds, are a call that cannot be recorded."""


class Recorder:
    """One recording of one stream.

    Args:
        stream: what is recorded.
        recorders: of which it is one.
    """

    def __init__(self, stream: RelayedStream, recorders: Recorders) -> None:
        order = stream.record
        self.recording_id = order.recording_id if order is not None else ""
        self._recorders = recorders
        self._tap: Tap | None = None
        self._writer: SealedWriter | None = None
        self._saying: Saying | None = None
        self._waiting = 0
        self._failed = self._ended = False

    def opened(self, writer: SealedWriter, tap: Tap, saying: Saying | None) -> None:
        """The disk is ready; on the loop."""
        self._writer, self._tap, self._saying = writer, tap, saying

    def hear(self, which: int, data: bytes, now: float) -> bytes:
        """A datagram of voice that is passed on, as it is to be passed on; on the loop.

        Args:
            which: who sent it.
            data: it.
            now: seconds, monotonic.
        """
        tap = self._tap
        if tap is None or self._failed:
            return data
        packet = parse(data)
        if not isinstance(packet, Packet):
            return data
        if self._saying is not None:
            said = self._saying.into(which, packet)
            if said is not packet:
                packet, data = said, said.to_bytes()
            if self._saying.over:
                self._saying = None
        if packet.payload_type < FIRST_DYNAMIC or not tap.voice:
            tap.hear(which, packet, now)
            if tap.unknown >= _MANY_PACKETS and not tap.voice:
                self.fail("its codec cannot be recorded: PCMU, PCMA and G.722 can")
        return data

    def tick(self, now: float) -> None:
        """About once a second, on the loop: write what is due."""
        if self._tap is not None and not self._failed:
            self._write(self._tap.seconds(now))

    def end(self, now: float) -> None:
        """The stream is over; on the loop."""
        if self._ended:
            return
        self._ended = True
        if self._tap is not None and not self._failed:
            self._write(self._tap.rest(now))
        self._recorders.finish(self)

    def fail(self, why: str) -> None:
        """It is given up, and what there is of it kept; on the loop."""
        if not self._failed:
            self._failed = True
            self._recorders.failed(why)

    def close(self) -> None:
        """Close the file; in the thread."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()

    def _write(self, seconds: list[bytes]) -> None:
        if not seconds or self._writer is None:
            return
        self._waiting += len(seconds)
        if self._waiting > MOST_WAITING_SECONDS and len(seconds) < MOST_WAITING_SECONDS:
            self.fail("the disk does not keep up")
            return
        self._recorders.write(self, self._writer, seconds)

    def written(self, count: int, problem: str) -> None:
        """So many seconds were written, or why not; on the loop."""
        self._waiting -= count
        if problem:
            self.fail(problem)


class Recorders:
    """Every recording that goes on.

    Args:
        store: where they are kept.
        announcement: what is said before a recording that is to be announced.
        told: hears why a call could not be recorded, or None when one is; on the loop.
        clock: the moment.
    """

    def __init__(
        self,
        store: CallRecordings,
        announcement: Callable[[], Announcement],
        told: Callable[[str | None], None],
        clock: Clock,
    ) -> None:
        self._store, self._announcement, self._told, self._clock = store, announcement, told, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="call-recording")
        self._going_on: dict[str, Recorder] = {}
        self._left = store.unended()
        self._left_until = clock.monotonic() + LEFT_SECONDS

    def __len__(self) -> int:
        return len(self._going_on)

    def begin(self, stream: RelayedStream) -> Recorder | None:
        """Record a stream from now on; None: it cannot be, and that was told."""
        order = stream.record
        if order is None or order.recording_id in self._going_on:
            return None
        if order.secure:
            self.failed("its media is encrypted from end to end (SRTP)")
            return None
        caller = stream.caller if stream.caller in (0, 1) else None
        recording = CallRecording.model_validate(
            {
                "recording_id": order.recording_id,
                "sip_call_id": stream.call_id[:MOST_CALL_ID],
                "began_at": self._clock.now(),
                "announced": order.announce,
                "caller": caller,
            }
        )
        recorder = self._going_on[order.recording_id] = Recorder(stream, self)
        self._thread.submit(self._open, recorder, recording, asyncio.get_running_loop())
        return recorder

    def tick(self) -> None:
        """About once a second: what a kill left and nobody goes on with has ended."""
        if self._left and self._clock.monotonic() >= self._left_until:
            for recording_id in self._left:
                if recording_id not in self._going_on:
                    self._thread.submit(self._end, recording_id)
            self._left = ()

    def write(self, recorder: Recorder, writer: SealedWriter, seconds: list[bytes]) -> None:
        """Write seconds of a recording, soon."""
        self._thread.submit(self._append, recorder, writer, seconds, asyncio.get_running_loop())

    def finish(self, recorder: Recorder) -> None:
        """A recording is over."""
        self._going_on.pop(recorder.recording_id, None)
        self._thread.submit(self._finish, recorder)

    def failed(self, why: str) -> None:
        """A call is not recorded, or no longer."""
        log.warning("call_not_recorded", extra={"problem": why})
        self._told(why)

    def close(self) -> None:
        """Wait for the disk; whoever carries the streams has ended their recordings."""
        self._thread.shutdown(wait=True)

    # In the thread

    def _open(self, recorder: Recorder, wanted: CallRecording, loop: asyncio.AbstractEventLoop) -> None:
        try:
            recording, writer, _ = self._store.open(wanted)
        except RecordingFailed as error:
            _on(loop, recorder.fail, str(error))
            return
        try:
            saying = self._saying(writer.seconds) if recording.announced else None
        except PromptError as error:
            with contextlib.suppress(OSError):
                writer.close()
            _on(loop, recorder.fail, str(error))
            return
        since = max(0.0, (self._clock.now() - recording.began_at).total_seconds())
        longest = self._store.policy.longest_minutes * 60
        tap = Tap(self._clock.monotonic() - since, writer.seconds, longest)
        _on(loop, recorder.opened, writer, tap, saying)
        _on(loop, self._told, None)

    def _saying(self, recorded_seconds: int) -> Saying | None:
        """The announcement, unless a kill came only after it was said."""
        announcement = self._announcement()
        return Saying(announcement) if recorded_seconds * RATE < announcement.length else None

    def _append(
        self, recorder: Recorder, writer: SealedWriter, seconds: list[bytes], loop: asyncio.AbstractEventLoop
    ) -> None:
        problem = ""
        try:
            for second in seconds:
                writer.append(second)
        except OSError as error:
            problem = f"the disk would not: {error.strerror}"
        _on(loop, recorder.written, len(seconds), problem)

    def _finish(self, recorder: Recorder) -> None:
        recorder.close()
        self._end(recorder.recording_id)

    def _end(self, recording_id: str) -> None:
        try:
            kept = self._store.end(recording_id)
        except RecordingFailed as error:
            log.warning("call_recording_not_ended", extra={"problem": str(error)})
            return
        if kept is not None:
            log.info("call_recorded", extra={"recording_id": recording_id, "seconds": round(kept.seconds, 1)})


def _on(loop: asyncio.AbstractEventLoop, what: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has closed
        loop.call_soon_threadsafe(what, *arguments)
