"""Tells the cloud of the site's mailboxes: every change of a message as an event, whatever was killed in between.

The mailboxes are compared with the ledger of what was told: after each change, and at the start. What is told twice
is told with the same stamp, so it counts once. Everything happens in one thread of its own: no call waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from contract.sync.mailbox_events import MAX_RECORDING_BYTES, MessageChanged, MessageWish, Recording
from contract.sync.state import Stamp, next_stamp
from contract.values import Digest
from edge_agent.clock import Clock
from edge_agent.errors import EdgeError
from edge_agent.mailbox_ledger import MailboxLedger, Told
from edge_agent.media.mailbox.message import Folder, Message
from edge_agent.media.mailbox.store import MailboxStore, NoSuchMessage
from edge_agent.sync.outbox import Outbox

log = logging.getLogger(__name__)

NODE: Final = "edge"
"""Who wrote, in the stamps of changes that are made at the site."""
_EPOCH: Final = "outbox_epoch"

Files = dict[Digest, tuple[int, Path]]
"""Recordings: size in bytes and place, by digest."""


class WishRefused(EdgeError):
    """What the cloud wants of a message cannot be done; the text says why."""


class MailboxTelling:
    """Compares mailboxes with the ledger and reports what is new.

    Args:
        store: the mailboxes.
        ledger, outbox: of its own, and opened for it.
        clock: for stamps.
        ring: told that the outbox has something new; called in the thread of the telling.
    """

    def __init__(
        self, store: MailboxStore, ledger: MailboxLedger, outbox: Outbox, clock: Clock, ring: Callable[[], None]
    ) -> None:
        self._store, self._ledger, self._outbox, self._clock, self._ring = store, ledger, outbox, clock, ring
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox-telling")
        self._listing = False

    def begin(self) -> None:
        """Tell what changed while nobody could."""
        self._thread.submit(self._begin)

    def changed(self, mailbox: str) -> None:
        """Messages of this mailbox changed. Does not wait."""
        self._thread.submit(self._note, (mailbox,))

    def look_again(self) -> None:
        """The ledger says that something is to be told again. Does not wait."""
        self._thread.submit(lambda: self._note(self._ledger.mailboxes()))

    def change(self, arguments: Mapping[str, str]) -> Future[str]:
        """Do what the cloud wants of a message (`contract.sync.mailbox_events.CHANGE_MESSAGE`).

        Returns:
            Words about what was done; or `WishRefused`.
        """
        return self._thread.submit(self._change, dict(arguments))

    def close(self) -> None:
        """Finish what is quick to finish and release the files."""
        self._thread.shutdown(cancel_futures=True)
        self._outbox.close()
        self._ledger.close()

    # In the thread

    def _begin(self) -> None:
        try:
            before = self._ledger.noted(_EPOCH)
            self._listing = not before
            if before not in ("", self._outbox.epoch):
                self._ledger.tell_again()
            self._note((*self._store.mailboxes(), *self._ledger.mailboxes()))
            self._ledger.note(_EPOCH, self._outbox.epoch)
        except (sqlite3.Error, OSError):
            log.exception("mailboxes_not_told")
        finally:
            self._listing = False

    def _note(self, mailboxes: Iterable[str], adopted: MessageWish | None = None) -> None:
        told = 0
        for mailbox in dict.fromkeys(mailboxes):
            try:
                told += self._note_one(mailbox, adopted)
            except (sqlite3.Error, OSError, ValidationError):
                # The next change of this mailbox, or the next start, tells it.
                log.exception("mailbox_not_told", extra={"mailbox": mailbox})
        if told:
            self._ring()

    def _note_one(self, mailbox: str, adopted: MessageWish | None) -> int:
        messages, known = self._store.listing(mailbox), self._ledger.messages(mailbox)
        told = 0
        for message_id, message in messages.items():
            before = known.get(message_id)
            if before is None or before.again or _differs(before.what, message):
                told += self._tell(mailbox, message, before, adopted)
        for message_id, before in known.items():
            if message_id not in messages:
                gone = before.what.model_copy(update={"gone": True, "stamp": self._next(before.what.stamp)})
                self._report(gone, {})
                told += 1
        return told

    def _tell(self, mailbox: str, message: Message, before: Told | None, adopted: MessageWish | None) -> int:
        if before is not None:
            files: Files = {}
            stamp = before.what.stamp
            if _differs(before.what, message):
                stamp = self._stamp_of(message, before, adopted)
            update = {**_state_of(message), "stamp": stamp, "listed": before.again}
            self._report(before.what.model_copy(update=update), files)
            return 1
        recording = _described(self._store.recording_file(mailbox, message.message_id))
        comment = _described(self._store.comment_file(mailbox, message.message_id)) if message.comment else None
        if recording is None:
            log.warning("recording_not_told", extra={"mailbox": mailbox, "message_id": message.message_id})
            return 0
        files = {one.digest: (one.size_bytes, path) for one, path in (recording, *((comment,) if comment else ()))}
        what = MessageChanged(
            user_id=mailbox,
            message_id=message.message_id,
            stamp=self._next(None),
            listed=self._listing,
            urgent=message.urgent,
            caller_number=message.caller.number,
            caller_name=message.caller.name,
            caller_user_id=message.caller.user_id or None,
            forwarded_by=(message.forwarded_by.name or message.forwarded_by.number) if message.forwarded_by else "",
            received_at=message.received_at,
            duration_seconds=message.duration_seconds,
            recording=recording[0],
            comment=comment[0] if comment else None,
            fax=message.fax,
            folder=message.folder.value,
            heard=message.heard,
            deleted_at=message.deleted_at,
        )
        self._report(what, files)
        return 1

    def _report(self, what: MessageChanged, files: Files) -> None:
        """First the outbox: killed before the ledger knows, it is told once more, and counts once."""
        self._outbox.report(what)
        self._ledger.keep(what, files)

    def _change(self, arguments: dict[str, str]) -> str:
        try:
            wish = MessageWish.of_arguments(arguments)
        except ValidationError as error:
            wrong = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
            raise WishRefused(f"the change of a message cannot be read: {wrong}") from None
        mailbox, message_id = wish.user_id, wish.message_id
        try:
            self._note((mailbox,))
            before = self._ledger.messages(mailbox).get(message_id)
            if before is None:
                raise WishRefused(f"there is no message {message_id} any more")
            if wish.stamp.order() <= before.what.stamp.order():
                return "a later change at the site counts"
            self._store.set(mailbox, message_id, Folder(wish.folder), heard=wish.heard)
            self._note((mailbox,), wish)
        except NoSuchMessage as error:
            raise WishRefused(str(error)) from None
        except (sqlite3.Error, OSError) as error:
            raise WishRefused(f"the disk would not: {type(error).__name__}") from error
        return f"in {wish.folder}"

    def _stamp_of(self, message: Message, before: Told, adopted: MessageWish | None) -> Stamp:
        """The cloud's own, where the message is as it wants it; a key pressed meanwhile comes after that."""
        if adopted is None or adopted.message_id != message.message_id:
            return self._next(before.what.stamp)
        if (adopted.folder, adopted.heard) == (message.folder.value, message.heard):
            return adopted.stamp
        return self._next(adopted.stamp)

    def _next(self, last: Stamp | None) -> Stamp:
        return next_stamp(last, NODE, int(self._clock.now().timestamp() * 1000))


def _differs(told: MessageChanged, message: Message) -> bool:
    return (told.folder, told.heard) != (message.folder.value, message.heard)


def _state_of(message: Message) -> dict[str, object]:
    """What of a message changes in its life."""
    return {"folder": message.folder.value, "heard": message.heard, "deleted_at": message.deleted_at}


def _described(path: Path) -> tuple[Recording, Path] | None:
    """What a sound file is; None: it is gone, or larger than any may be."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        return None
    return (Recording(digest=digest, size_bytes=size), path) if 0 < size <= MAX_RECORDING_BYTES else None
