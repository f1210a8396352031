"""Mailboxes as folders of files: each message its audio and, written last, what is known of it.

    <root>/<mailbox>/<message id>.wav    the recording, whole before it has this name; of a fax its pages, .tif
    <root>/<mailbox>/<message id>.json   makes it a message; replaced as a whole when it is heard, moved or deleted
    <root>/<mailbox>/<message id>.comment.wav
    <root>/<mailbox>/<message id>.draft  who is leaving a message; a kill leaves it, and what was recorded is kept
    <root>/<mailbox>/greeting.<kind>.wav

So a damaged file costs one message, a copy of the folder is a back-up, and a message sent on shares its audio.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from contract.sync.mailbox_events import FaxSheets
from edge_agent.clock import Clock
from edge_agent.durable_file import flush_folder, write_durably
from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.files import (
    COMMENT,
    DRAFT,
    FAX,
    SPEECH,
    BadMailbox,
    content_suffix,
    drafted,
    fax_pages,
    greeting_name,
    messages_in,
    wav_seconds,
)
from edge_agent.media.mailbox.message import Caller, Counts, Folder, Message
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

_MAILBOX: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
IMPORTED: Final = ".imported"
"""In the root: somebody put whole messages into mailboxes, to be looked for; what else is in it is not the store's."""
Changed = Callable[[str], None]
"""Told the mailbox whose messages changed, in the thread that changed them, before any other changes."""


def _nobody(mailbox: str) -> None:
    del mailbox


class MailboxFull(MediaError):
    """The mailbox has as many messages as it may."""


class NoSuchMessage(MediaError):
    """The message is not there (any more)."""


@dataclass(frozen=True, slots=True)
class MailboxLimits:
    """What a mailbox may hold.

    Args:
        messages: in all folders; beyond it nobody can leave one.
        deleted_days: how long the deleted are kept.
        kept_days: how long all others are; 0: for ever.
    """

    messages: int = 200
    deleted_days: int = 7
    kept_days: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is being left: record into `audio`, or its comment into `comment`, then keep or discard it."""

    mailbox: str
    message_id: str
    caller: Caller
    began_at: datetime
    audio: Path
    comment: Path


class MailboxStore:
    """Every mailbox of the site. Its methods may be called from several threads, and wait for the disk.

    Args:
        root: the folder; made when missing.
        clock: when messages came.
        tokens: their ids.
        limits: of each mailbox.
        changed: see `Changed`.
    """

    def __init__(
        self, root: Path, clock: Clock, tokens: Tokens, limits: MailboxLimits | None = None, changed: Changed = _nobody
    ) -> None:
        self._root = root
        self._clock = clock
        self._tokens = tokens
        self.limits = limits or MailboxLimits()
        self._changed = changed
        self._lock = threading.RLock()
        self._messages: dict[str, dict[str, Message]] = {}
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in root.glob(".scratch.*"):
            left.unlink()
        for folder in sorted(root.iterdir()):
            if folder.is_dir() and _MAILBOX.fullmatch(folder.name):
                self._load(folder)

    # -- reading

    def messages(self, mailbox: str, folder: Folder) -> list[Message]:
        """What lies in a folder: the urgent that nobody heard first, then the newest first."""
        with self._lock:
            found = [one for one in self._messages.get(mailbox, {}).values() if one.folder is folder]
        found.sort(key=lambda one: one.received_at, reverse=True)
        found.sort(key=lambda one: one.heard or not one.urgent)
        return found

    def listing(self, mailbox: str) -> dict[str, Message]:
        """Every message of a mailbox, by its id."""
        with self._lock:
            return dict(self._messages.get(mailbox, {}))

    def message(self, mailbox: str, message_id: str) -> Message:
        """One message.

        Raises:
            NoSuchMessage: it is not there.
        """
        with self._lock:
            found = self._messages.get(mailbox, {}).get(message_id)
        if found is None:
            raise NoSuchMessage(f"{mailbox} has no message {message_id[:64]}")
        return found

    def counts(self, mailbox: str) -> Counts:
        """What the lamp tells; new are those in the inbox that nobody heard."""
        with self._lock:
            waiting = [one for one in self._messages.get(mailbox, {}).values() if one.folder is not Folder.DELETED]
        new = [one.urgent for one in waiting if not one.heard and one.folder is Folder.INBOX]
        old = [one.urgent for one in waiting if one.heard or one.folder is not Folder.INBOX]
        return Counts(new=len(new), old=len(old), urgent_new=sum(new), urgent_old=sum(old))

    def mailboxes(self) -> tuple[str, ...]:
        """Those that hold anything."""
        with self._lock:
            return tuple(self._messages)

    def tell(self, mailbox: str) -> None:
        """Say that this mailbox may be looked at anew; see `Changed`."""
        with self._lock:
            self._changed(mailbox)

    def audio(self, mailbox: str, message_id: str) -> list[Path]:
        """What is to be played: the comment, where there is one, then the recording.

        Raises:
            NoSuchMessage: it is not there.
        """
        message = self.message(mailbox, message_id)
        comment = [self.comment_file(mailbox, message_id)] if message.comment else []
        return [*comment, self.recording_file(mailbox, message_id)]

    def recording_file(self, mailbox: str, message_id: str) -> Path:
        """Where a message's recording lies, while there is the message."""
        known = self._messages.get(mailbox, {}).get(message_id)
        return self._folder(mailbox) / f"{message_id}{SPEECH if known is None else content_suffix(known)}"

    def comment_file(self, mailbox: str, message_id: str) -> Path:
        """Where the comment of one lies that has any."""
        return self._folder(mailbox) / f"{message_id}.comment.wav"

    # -- leaving messages

    def begin(self, mailbox: str, caller: Caller, fax: FaxSheets | None = None) -> Draft:
        """Begin to leave a message.

        Args:
            mailbox: whose.
            caller: who leaves it.
            fax: what is to be said of the fax that it is, should we die while it comes; None: it is speech.

        Raises:
            MailboxFull: there is no room for it.
            OSError: the disk would not.
        """
        with self._lock:
            self._check_room(mailbox)
            folder = self._made(mailbox)
            message_id = self._tokens.token(8)
            draft = Draft(
                mailbox,
                message_id,
                caller,
                self._clock.now(),
                folder / f"{message_id}{SPEECH if fax is None else FAX}",
                folder / f"{message_id}{COMMENT}",
            )
            # Should we die while it is recorded, this says whose it is.
            unfinished = Message(
                message_id=message_id, caller=caller, received_at=draft.began_at, duration_seconds=0, fax=fax
            ).model_dump_json()
            write_durably(folder / f"{message_id}.draft", unfinished.encode())
            return draft

    def keep(self, draft: Draft, *, urgent: bool = False) -> Message:
        """What was recorded is a message from now on, also after kill -9.

        Raises:
            MediaError: nothing usable was recorded.
            OSError: the disk would not.
        """
        seconds = wav_seconds(draft.audio)
        message = Message(
            message_id=draft.message_id,
            caller=draft.caller,
            received_at=draft.began_at,
            duration_seconds=seconds,
            urgent=urgent,
        )
        return self._kept(draft, message)

    def keep_fax(self, draft: Draft, fax: FaxSheets, seconds: float) -> Message:
        """What came of a fax is a message from now on, also after kill -9; so are the pages before one that broke off.

        Args:
            draft: which `begin` gave.
            fax: what is known of it; its pages are counted.
            seconds: how long it took.

        Raises:
            MediaError: no whole page came.
            OSError: the disk would not.
        """
        message = Message(
            message_id=draft.message_id,
            caller=draft.caller,
            received_at=draft.began_at,
            duration_seconds=seconds,
            fax=fax.model_copy(update={"pages": fax_pages(draft.audio)}),
        )
        return self._kept(draft, message)

    def _kept(self, draft: Draft, message: Message) -> Message:
        self._put(draft.mailbox, message)
        self._remove_files(self._folder(draft.mailbox), draft.message_id, (DRAFT,))
        return message

    def discard(self, draft: Draft) -> None:
        """Nobody wants it."""
        self._remove_files(self._folder(draft.mailbox), draft.message_id, (SPEECH, FAX, COMMENT, DRAFT))

    def send_on(self, mailbox: str, message_id: str, to: Iterable[str], by: Caller, comment: Path | None) -> list[str]:
        """Give others a message, with what is said before it; both stay one file on the disk.

        Args:
            mailbox: whose message it is.
            message_id: which.
            to: mailboxes.
            by: who sends it on.
            comment: a recording; None: nothing is said.

        Returns:
            Mailboxes that have no room for it.

        Raises:
            NoSuchMessage: it is not there.
            OSError: the disk would not.
        """
        return self._link_to(self.message(mailbox, message_id), mailbox, to, by, comment)

    def _link_to(
        self, message: Message, mailbox: str, to: Iterable[str], by: Caller | None, comment: Path | None
    ) -> list[str]:
        source = self._folder(mailbox) / f"{message.message_id}.wav"
        full: list[str] = []
        for receiver in to:
            with self._lock:
                try:
                    self._check_room(receiver)
                except MailboxFull:
                    full.append(receiver)
                    continue
                copy_id, folder = self._tokens.token(8), self._made(receiver)
                os.link(source, folder / f"{copy_id}.wav")
                if comment is not None:
                    os.link(comment, folder / f"{copy_id}.comment.wav")
                self._put(
                    receiver,
                    Message(
                        message_id=copy_id,
                        caller=message.caller,
                        received_at=self._clock.now(),
                        duration_seconds=message.duration_seconds,
                        urgent=message.urgent,
                        forwarded_by=by,
                        comment=comment is not None,
                    ),
                )
        return full

    def copy_to(self, mailbox: str, message_id: str, to: Iterable[str]) -> list[str]:
        """Give others the same message as if it had been left for each of them.

        Returns:
            Mailboxes that have no room for it.

        Raises:
            NoSuchMessage: it is not there.
            OSError: the disk would not.
        """
        return self._link_to(self.message(mailbox, message_id), mailbox, to, None, None)

    # -- changing them

    def mark_heard(self, mailbox: str, message_id: str) -> Message:
        """It was listened to.

        Raises:
            NoSuchMessage: it is not there.
        """
        with self._lock:
            message = self.message(mailbox, message_id)
            return message if message.heard else self._put(mailbox, message.model_copy(update={"heard": True}))

    def move(self, mailbox: str, message_id: str, folder: Folder) -> Message:
        """Save it, delete it, or take it back from the deleted.

        Raises:
            NoSuchMessage: it is not there.
        """
        with self._lock:
            message = self.message(mailbox, message_id)
            return self._put(mailbox, message.moved(folder, self._clock.now()))

    def set(self, mailbox: str, message_id: str, folder: Folder, *, heard: bool) -> Message:
        """Have a message be as somebody elsewhere wants it.

        Raises:
            NoSuchMessage: it is not there.
        """
        with self._lock:
            message = self.message(mailbox, message_id)
            if (message.folder, message.heard) == (folder, heard):
                return message
            moved = message if message.folder is folder else message.moved(folder, self._clock.now())
            return self._put(mailbox, moved.model_copy(update={"heard": heard}))

    def empty_deleted(self, mailbox: str) -> int:
        """The deleted go for good; how many."""
        deleted = self.messages(mailbox, Folder.DELETED)
        for message in deleted:
            self._forget(mailbox, message.message_id)
        if deleted:
            self.tell(mailbox)
        return len(deleted)

    def clean(self) -> int:
        """What was kept as long as it may goes for good; how many messages."""
        now, gone = self._clock.now(), 0
        for mailbox in self.mailboxes():
            with self._lock:
                old = [one.message_id for one in self._messages[mailbox].values() if self._is_over(one, now)]
            for message_id in old:
                self._forget(mailbox, message_id)
            if old:
                self.tell(mailbox)
            gone += len(old)
        return gone

    def _is_over(self, message: Message, now: datetime) -> bool:
        limits = self.limits
        if message.folder is Folder.DELETED and message.deleted_at is not None:
            return now - message.deleted_at > timedelta(days=limits.deleted_days)
        return limits.kept_days > 0 and now - message.received_at > timedelta(days=limits.kept_days)

    def remove(self, mailbox: str) -> None:
        """Everything of a mailbox goes for good: its user is gone."""
        with self._lock:
            folder = self._folder(mailbox)
            self._messages.pop(mailbox, None)
            with contextlib.suppress(FileNotFoundError):
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
            self._changed(mailbox)

    # -- greetings

    def greeting(self, mailbox: str, kind: str) -> Path | None:
        """The file of a greeting that was recorded; None: there is none.

        Args:
            mailbox: whose.
            kind: `standard`, `out_of_office`, `extended_absence` or `name`.
        """
        path = self._folder(mailbox) / greeting_name(kind)
        return path if path.exists() else None

    def greeting_file(self, mailbox: str, kind: str) -> Path:
        """Where a greeting is to be, the folder made; written aside and renamed by whoever records it."""
        name = greeting_name(kind)
        return self._made(mailbox) / name

    # -- files

    def scratch_file(self, name: str) -> Path:
        """A file beside the mailboxes that is no mailbox's; whoever asks for it removes it."""
        return self._root / f".scratch.{name}.wav"

    def _folder(self, mailbox: str) -> Path:
        if not _MAILBOX.fullmatch(mailbox):
            raise BadMailbox(f"no mailbox: {mailbox[:64]!r}")
        return self._root / mailbox

    def _made(self, mailbox: str) -> Path:
        folder = self._folder(mailbox)
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def _check_room(self, mailbox: str) -> None:
        if len(self._messages.get(mailbox, {})) >= self.limits.messages:
            raise MailboxFull(f"{mailbox} has {self.limits.messages} messages")

    def _put(self, mailbox: str, message: Message) -> Message:
        with self._lock:
            folder = self._made(mailbox)
            flush_folder(folder)  # the audio has its name before anything speaks of it
            write_durably(folder / f"{message.message_id}.json", message.model_dump_json().encode())
            self._messages.setdefault(mailbox, {})[message.message_id] = message
            self._changed(mailbox)
        return message

    def _forget(self, mailbox: str, message_id: str) -> None:
        with self._lock:
            self._messages.get(mailbox, {}).pop(message_id, None)
            self._remove_files(self._folder(mailbox), message_id, (".json", SPEECH, FAX, COMMENT))

    @staticmethod
    def _remove_files(folder: Path, message_id: str, suffixes: tuple[str, ...]) -> None:
        """In this order, so that a kill in between never leaves a message without its audio."""
        for suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{message_id}{suffix}").unlink()

    def _load(self, folder: Path) -> None:
        found = self._messages.setdefault(folder.name, {})
        found.update({one.message_id: one for one in messages_in(folder)})
        for file in sorted(folder.glob("*.draft")):
            self._recover(folder, file)
        kept = set(found)
        for file in sorted([*folder.glob(f"*{SPEECH}"), *folder.glob(f"*{FAX}")]):
            name = file.name.partition(".")[0]
            if name != "greeting" and name not in kept and not (folder / f"{name}.json").exists():
                # Sent on and killed before it became a message: its sender still has it.
                file.unlink(missing_ok=True)

    def take_up(self) -> int:
        """Messages that somebody else put into the mailboxes since they were read; how many."""
        taken = 0
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir() and _MAILBOX.fullmatch(folder.name):
                with self._lock:
                    known = self._messages.setdefault(folder.name, {})
                    new = [one for one in messages_in(folder, known.keys()) if one.message_id not in known]
                    known.update({one.message_id: one for one in new})
                    taken += len(new)
                    if new:
                        self._changed(folder.name)
        return taken

    def _recover(self, folder: Path, draft: Path) -> None:
        """What somebody was saying when we died is a message, if there is enough of it to be one."""
        message_id = draft.name.removesuffix(DRAFT)
        if message_id not in self._messages[folder.name]:
            if (message := drafted(folder, draft)) is not None:
                self._put(folder.name, message)
                log.info("message_recovered", extra={"mailbox": folder.name, "seconds": message.duration_seconds})
            else:
                self._remove_files(folder, message_id, (SPEECH, FAX, COMMENT))
        draft.unlink(missing_ok=True)
