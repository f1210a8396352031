"""Takes the mailboxes of a mailstore over: files into the edge's mailboxes, settings for the agent to take up.

A message has the same id however often it is brought, so that a second time makes no doubles; and one that was deleted
for good since does not come back. A kill leaves whole messages only, and the next time goes on.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from contract.mailbox_state import GREETING, MOST_MEMBERS, list_key
from edge_agent.durable_file import flush_folder, write_durably
from edge_agent.mailstore.reading import (
    GREETINGS,
    OldMessage,
    Problem,
    Sender,
    Unreadable,
    active_greeting,
    lists_of,
    messages_of,
)
from edge_agent.mailstore.sound import RATE, NoSound, sound_of
from edge_agent.media.applications.voicemail import VoicemailConfig
from edge_agent.media.mailbox.message import Caller, Folder, Message
from edge_agent.media.mailbox.store import IMPORTED

_BROUGHT: Final = ".brought"
"""In each mailbox: the ids of the messages that were brought, one a line."""
_WAV_HEADER: Final = 44


@dataclass(slots=True)
class Result:
    """What became of one mailbox."""

    brought: int = 0
    there: int = 0
    greetings: int = 0
    lists: int = 0
    problems: list[Problem] = field(default_factory=list)


class Importer:
    """Brings mailboxes.

    Args:
        root: the edge's mailboxes.
        config: whose they are, and the site's zone.
        now: the moment, for what lies among the deleted: from now on it can be taken back as long as any other.
        tell: is told each problem as soon as it is seen.
    """

    def __init__(self, root: Path, config: VoicemailConfig, now: datetime, tell: Callable[[Problem], None]) -> None:
        self._root, self._config, self._now, self._tell = root, config, now, tell

    def bring(self, mailbox: Path, user_id: str) -> Result:
        """Bring one mailbox to a user.

        Args:
            mailbox: its folder in the mailstore.
            user_id: whose it is here.

        Raises:
            OSError: the edge's disk would not.
        """
        result, folder = Result(), self._root / user_id
        folder.mkdir(mode=0o700, exist_ok=True)
        known = self._known(folder)
        for found in messages_of(mailbox, self._config.zone):
            if isinstance(found, Problem):
                self._note(result, found)
                continue
            try:
                if self._bring_message(folder, found, known):
                    result.brought += 1
                else:
                    result.there += 1
            except (NoSound, OSError) as error:
                self._note(result, Problem(found.recording, str(error)))
        self._bring_greetings(mailbox, folder, result)
        self._bring_settings(mailbox, user_id, result)
        return result

    def _note(self, result: Result, problem: Problem) -> None:
        result.problems.append(problem)
        self._tell(problem)

    @staticmethod
    def _known(folder: Path) -> set[str]:
        with suppress(FileNotFoundError):
            return set((folder / _BROUGHT).read_text("ascii").split())
        return set()

    def _bring_message(self, folder: Path, found: OldMessage, known: set[str]) -> bool:
        """Whether it was not there yet."""
        content = sound_of(found.recording)
        message_id = hashlib.sha256(b"sipxcom\0" + found.stem.encode() + b"\0" + content).hexdigest()[:16]
        if message_id in known:
            return False
        if (folder / f"{message_id}.json").exists() and (folder / f"{message_id}.wav").exists():
            self._remember(folder, message_id, known)
            return False
        comment = sound_of(found.comment) if found.comment is not None else None
        where = Folder(found.folder)
        message = Message(
            message_id=message_id,
            caller=self._caller(found.sender),
            received_at=found.received_at,
            duration_seconds=max(0, len(content) - _WAV_HEADER) / (2 * RATE),
            folder=where,
            heard=found.heard or where is not Folder.INBOX,
            urgent=found.urgent,
            forwarded_by=self._caller(found.forwarded_by) if found.forwarded_by is not None else None,
            comment=comment is not None,
            deleted_at=self._now if where is Folder.DELETED else None,
        )
        # The recording has its name last: what starts meanwhile takes sound without a description for a remnant, and
        # a description without sound for nothing.
        if comment is not None:
            write_durably(folder / f"{message_id}.comment.part", comment)
        write_durably(folder / f"{message_id}.part", content)
        write_durably(folder / f"{message_id}.json", message.model_dump_json().encode())
        if comment is not None:
            (folder / f"{message_id}.comment.part").rename(folder / f"{message_id}.comment.wav")
        (folder / f"{message_id}.part").rename(folder / f"{message_id}.wav")
        flush_folder(folder)
        self._remember(folder, message_id, known)
        return True

    @staticmethod
    def _remember(folder: Path, message_id: str, known: set[str]) -> None:
        with (folder / _BROUGHT).open("a", encoding="ascii") as file:
            file.write(f"{message_id}\n")
            file.flush()
            os.fsync(file.fileno())
        known.add(message_id)

    def _caller(self, sender: Sender) -> Caller:
        box = self._config.named(sender.number)
        return Caller(number=sender.number, name=sender.name, user_id=box.user_id if box is not None else "")

    def _bring_greetings(self, mailbox: Path, folder: Path, result: Result) -> None:
        """Those that are not recorded here yet: what somebody said since counts more."""
        for name, kind in GREETINGS.items():
            old, final = mailbox / name, folder / f"greeting.{kind}.wav"
            if final.exists() or old.is_symlink() or not old.is_file():
                continue
            try:
                write_durably(final, sound_of(old))
                result.greetings += 1
            except (NoSound, OSError) as error:
                self._note(result, Problem(old, str(error)))

    def _bring_settings(self, mailbox: Path, user_id: str, result: Result) -> None:
        wanted: dict[str, str] = {}
        try:
            if (greeting := active_greeting(mailbox)) is not None:
                wanted[f"{GREETING}/{user_id}"] = greeting
            for digit, named in lists_of(mailbox).items():
                boxes = [(name, self._config.named(name)) for name in named]
                for name, box in boxes:
                    if box is None:
                        why = f"list {digit} names {name[:40]!r}, which has no mailbox here"
                        self._note(result, Problem(mailbox / "distribution.xml", why))
                members = list(dict.fromkeys(box.user_id for _, box in boxes if box is not None))[:MOST_MEMBERS]
                if members:
                    wanted[list_key(user_id, digit)] = " ".join(members)
                    result.lists += 1
        except Unreadable as error:
            self._note(result, Problem(mailbox, str(error)))
        self.hand_over(wanted)

    def hand_over(self, settings: dict[str, str]) -> None:
        """Leave settings for the agent, which takes them and the messages up when it sees the file."""
        path = self._root / IMPORTED
        waiting: dict[str, str] = {}
        with suppress(FileNotFoundError, ValueError):
            waiting = json.loads(path.read_bytes())
        write_durably(path, json.dumps({**settings, **waiting}).encode())


def mailboxes_in(mailstore: Path) -> Iterable[Path]:
    """The mailboxes of a mailstore, by name."""
    return sorted(one for one in mailstore.iterdir() if one.is_dir() and not one.is_symlink())
