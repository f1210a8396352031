"""Mailboxes as folders of files: each message its audio and, written last, what is known of it.

    <root>/<mailbox>/<message id>.wav    the recording, whole before it has this name
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
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from edge_agent.clock import Clock
from edge_agent.durable_file import flush_folder, write_durably
from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.message import Caller, Counts, Folder, Message
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

_MAILBOX: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHORTEST_RECOVERED_SECONDS: Final = 1.0
Changed = Callable[[str], None]
"""Told the mailbox whose messages changed, in the thread that changed them, before any other changes."""


def _nobody(mailbox: str) -> None:
    del mailbox


class MailboxFull(MediaError):
    """The mailbox has as many messages as it may."""


class NoSuchMessage(MediaError):
    """The message is not there (any more)."""


class BadMailbox(MediaError):
    """That is no name of a mailbox."""


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
        folder = self._folder(mailbox)
        comment = [folder / f"{message_id}.comment.wav"] if message.comment else []
        return [*comment, folder / f"{message_id}.wav"]

    # -- leaving messages

    def begin(self, mailbox: str, caller: Caller) -> Draft:
        """Begin to leave a message.

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
                folder / f"{message_id}.wav",
                folder / f"{message_id}.comment.wav",
            )
            # Should we die while it is recorded, this says whose it is.
            unfinished = Message(
                message_id=message_id, caller=caller, received_at=draft.began_at, duration_seconds=0
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
        self._put(draft.mailbox, message)
        self._remove_files(self._folder(draft.mailbox), draft.message_id, (".draft",))
        return message

    def discard(self, draft: Draft) -> None:
        """Nobody wants it."""
        self._remove_files(self._folder(draft.mailbox), draft.message_id, (".wav", ".comment.wav", ".draft"))

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

    def empty_deleted(self, mailbox: str) -> int:
        """The deleted go for good; how many."""
        deleted = self.messages(mailbox, Folder.DELETED)
        for message in deleted:
            self._forget(mailbox, message.message_id)
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

    # -- greetings

    def greeting(self, mailbox: str, kind: str) -> Path | None:
        """The file of a greeting that was recorded; None: there is none.

        Args:
            mailbox: whose.
            kind: `standard`, `out_of_office`, `extended_absence` or `name`.
        """
        path = self._folder(mailbox) / _greeting_name(kind)
        return path if path.exists() else None

    def greeting_file(self, mailbox: str, kind: str) -> Path:
        """Where a greeting is to be, the folder made; written aside and renamed by whoever records it."""
        name = _greeting_name(kind)
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
            self._remove_files(self._folder(mailbox), message_id, (".json", ".wav", ".comment.wav"))

    @staticmethod
    def _remove_files(folder: Path, message_id: str, suffixes: tuple[str, ...]) -> None:
        """In this order, so that a kill in between never leaves a message without its audio."""
        for suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                (folder / f"{message_id}{suffix}").unlink()

    def _load(self, folder: Path) -> None:
        found = self._messages.setdefault(folder.name, {})
        for file in sorted(folder.glob("*.json")):
            try:
                message = Message.model_validate_json(file.read_bytes())
            except (ValidationError, OSError) as error:
                log.warning("message_unreadable", extra={"file": str(file), "why": type(error).__name__})
                continue
            if (folder / f"{message.message_id}.wav").exists() and message.message_id == file.stem:
                found[message.message_id] = message
        for file in sorted(folder.glob("*.draft")):
            self._recover(folder, file)
        kept = set(found)
        for file in sorted(folder.glob("*.wav")):
            name = file.name.partition(".")[0]
            if name != "greeting" and name not in kept and not (folder / f"{name}.json").exists():
                # Sent on and killed before it became a message: its sender still has it.
                file.unlink(missing_ok=True)

    def _recover(self, folder: Path, draft: Path) -> None:
        """What somebody was saying when we died is a message, if there is enough of it to be one."""
        message_id = draft.name.removesuffix(".draft")
        if message_id not in self._messages[folder.name]:
            try:
                message = Message.model_validate_json(draft.read_bytes())
                seconds = wav_seconds(folder / f"{message_id}.wav")
            except (ValidationError, OSError, MediaError):
                seconds = 0.0
            if seconds >= _SHORTEST_RECOVERED_SECONDS:
                self._put(folder.name, message.model_copy(update={"duration_seconds": seconds}))
                log.info("message_recovered", extra={"mailbox": folder.name, "seconds": seconds})
            else:
                self._remove_files(folder, message_id, (".wav", ".comment.wav"))
        draft.unlink(missing_ok=True)


def _greeting_name(kind: str) -> str:
    if not re.fullmatch(r"[a-z_]{1,32}", kind):
        raise BadMailbox(f"no kind of greeting: {kind[:32]!r}")
    return f"greeting.{kind}.wav"


def wav_seconds(path: Path) -> float:
    """How long a recording is.

    Raises:
        MediaError: it is none.
    """
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise MediaError(f"{path.name}: nothing was recorded: {error}") from error
