"""Tells the cloud of recordings, each that has ended and each that is gone, whatever was killed in between.

The recordings are compared with the ledger of what was told: after each change, and at the start. What is told twice
counts once. Everything happens in one thread of its own: no call waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from contract.sync.call_recordings import MAX_CALL_RECORDING_BYTES, CallRecorded
from edge_agent.call_recording_ledger import CallRecordingLedger
from edge_agent.errors import EdgeError
from edge_agent.media.errors import MediaError
from edge_agent.processes.kept_recordings import Ended, Kept
from edge_agent.sync.outbox import Outbox

log = logging.getLogger(__name__)

TELL_CALL_RECORDINGS: Final = "tell_call_recordings"
"""Order to the media process: tell the cloud what the ledger says is to be told again."""
_EPOCH: Final = "outbox_epoch"


class DeletionRefused(EdgeError):
    """A recording cannot be deleted; the text says why."""


class CallRecordingTelling:
    """Compares recordings with the ledger and reports what is new.

    Args:
        kinds: the recordings.
        ledger, outbox: of its own, and opened for it.
        ring: told that the outbox has something new; called in the thread of the telling.
    """

    def __init__(
        self, kinds: Sequence[Kept], ledger: CallRecordingLedger, outbox: Outbox, ring: Callable[[], None]
    ) -> None:
        self._kinds, self._ledger, self._outbox, self._ring = kinds, ledger, outbox, ring
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="call-recording-telling")
        self._due = threading.Event()
        """Set while a look is due that has not begun."""
        self._unreadable: set[str] = set()
        for kind in kinds:
            kind.on_change(self.look)

    def begin(self) -> None:
        """Tell what changed while nobody could."""
        self._thread.submit(self._begin)

    def look(self) -> None:
        """Recordings changed, or are to be told again. Does not wait; in any thread."""
        if not self._due.is_set():
            self._due.set()
            try:
                self._thread.submit(self._look)
            except RuntimeError:  # closed: the next start tells
                log.debug("call_recordings_told_later")

    def delete(self, recording_id: str) -> Future[str]:
        """Let go of a recording that has ended, and tell that it is gone.

        Returns:
            Words about what was done; or `DeletionRefused`.
        """
        return self._thread.submit(self._delete, recording_id)

    def close(self) -> None:
        """Finish what is quick to finish and release the files."""
        self._thread.shutdown(cancel_futures=True)
        self._outbox.close()
        self._ledger.close()

    # In the thread

    def _begin(self) -> None:
        try:
            if self._ledger.noted(_EPOCH) not in ("", self._outbox.epoch):
                self._ledger.tell_again()
            self._ledger.note(_EPOCH, self._outbox.epoch)
        except (sqlite3.Error, OSError):
            log.exception("call_recordings_not_told")
        self._look()

    def _look(self) -> None:
        self._due.clear()
        told = 0
        try:
            there = {one.recording_id: (kind, one) for kind in self._kinds for one in kind.ended()}
            up_to_date = self._ledger.told()
            for recording_id in self._ledger.known() - there.keys():
                told += self._tell_gone(recording_id)
            for recording_id, (kind, one) in there.items():
                if recording_id not in up_to_date and recording_id not in self._unreadable:
                    told += self._tell(kind, one)
        except (sqlite3.Error, OSError):
            # The next change, or the next start, tells it.
            log.exception("call_recordings_not_told")
        if told:
            self._ring()

    def _tell(self, kind: Kept, one: Ended) -> int:
        what = self._ledger.last_told(one.recording_id) or self._described(kind, one)
        if what is None:
            self._unreadable.add(one.recording_id)
            return 0
        self._outbox.report(what)
        self._ledger.keep(what)
        return 1

    def _tell_gone(self, recording_id: str) -> int:
        what = self._ledger.last_told(recording_id)
        if what is not None:
            self._outbox.report(what.model_copy(update={"gone": True}))
        self._ledger.forget(recording_id)
        return 1

    def _described(self, kind: Kept, one: Ended) -> CallRecorded | None:
        """What is told of it; None: it is gone, cannot be read, or is longer than any may be."""
        digest, size = hashlib.sha256(), 0
        try:
            for part in kind.wav(one.recording_id):
                digest.update(part)
                size += len(part)
        except (MediaError, FileNotFoundError) as error:
            log.warning("call_recording_not_told", extra={"recording_id": one.recording_id, "problem": str(error)})
            return None
        if size > MAX_CALL_RECORDING_BYTES:
            log.warning("call_recording_not_told", extra={"recording_id": one.recording_id, "problem": "too long"})
            return None
        return CallRecorded(
            recording_id=one.recording_id,
            sip_call_id=one.sip_call_id,
            conference=one.conference,
            began_at=one.began_at,
            seconds=one.seconds,
            announced=one.announced,
            digest=digest.hexdigest(),
            size_bytes=size,
        )

    def _delete(self, recording_id: str) -> str:
        try:
            if any(kind.goes_on(recording_id) for kind in self._kinds):
                raise DeletionRefused("it goes on")
            for kind in self._kinds:
                kind.delete(recording_id)
            self._look()
        except (sqlite3.Error, OSError) as error:
            raise DeletionRefused(f"the disk would not: {type(error).__name__}") from error
        return "gone"
