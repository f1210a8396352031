"""`tandem-edge import-mailstore FOLDER`: bring a sipXcom mailstore to this edge, beside the running agent or not."""

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_agent.clock import SystemClock
from edge_agent.errors import EdgeError
from edge_agent.mailstore.importing import Importer, mailboxes_in
from edge_agent.mailstore.reading import Problem
from edge_agent.media.applications.voicemail import Mailbox, VoicemailConfig
from edge_agent.media.mailbox.store import IMPORTED
from edge_agent.processes.voicemail import FOLDER
from edge_agent.status import is_running
from edge_agent.sync.store import SnapshotStore
from edge_agent.views import voicemail_config

_TAKEN_UP_SECONDS: Final = 60.0


class CannotImport(EdgeError):
    """Nothing could begin; the text says why."""


def import_mailstore(mailstore: Path, state_dir: Path, others: Sequence[str]) -> bool:
    """Bring what is in a mailstore, naming each mailbox and everything that cannot be read.

    Args:
        mailstore: a folder with one folder for each mailbox.
        state_dir: of the edge.
        others: `OLD=NEW` each: the mailbox OLD there is NEW's here.

    Returns:
        whether everything was brought.

    Raises:
        CannotImport: nothing could begin, or the disk would not.
    """
    named = _pairs(others)
    if not mailstore.is_dir():
        raise CannotImport(f"{mailstore} is no folder")
    try:
        found = {one.name for one in mailboxes_in(mailstore)}
        if not found:
            raise CannotImport(f"{mailstore} holds no mailboxes: there has to be a folder for each, such as 200/inbox")
        if strange := sorted(named.keys() - found):
            raise CannotImport(f"--as {strange[0]}={named[strange[0]]}: {mailstore} has no mailbox {strange[0]}")
        if os.geteuid() != state_dir.stat().st_uid:
            raise CannotImport(f"{state_dir} is another user's: run this as the user of the edge agent")
        snapshot = SnapshotStore(state_dir / "snapshot").load()
        if snapshot is None:
            raise CannotImport(f"{state_dir} has no configuration yet: let the agent get one first")
        root = state_dir / FOLDER
        root.mkdir(mode=0o700, exist_ok=True)
        config = voicemail_config(snapshot, {})
        names = {alias: user.user_id for user in snapshot.users for alias in user.aliases}
        return _bring(mailstore, root, config, names, named, is_running(state_dir))
    except OSError as error:
        raise CannotImport(f"the disk would not: {error}") from error


def _pairs(others: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for one in others:
        old, equals, new = one.partition("=")
        if not (old and equals and new):
            raise CannotImport(f"--as {one}: it has to be OLD=NEW, the mailbox there and whose it is here")
        named[old] = new
    return named


def _bring(
    mailstore: Path, root: Path, config: VoicemailConfig, aliases: dict[str, str], others: dict[str, str], running: bool
) -> bool:
    missing = 0

    def tell(problem: Problem) -> None:
        _say(f"  NOT READ {problem.path}: {problem.why}")

    def box_of(name: str) -> Mailbox | None:
        name = others.get(name, name)
        return config.named(name) or config.mailboxes.get(aliases.get(name, ""))

    importer = Importer(root, config, SystemClock().now(), tell)
    mailboxes = list(mailboxes_in(mailstore))
    for number, mailbox in enumerate(mailboxes, 1):
        where = f"[{number}/{len(mailboxes)}] {mailbox.name}"
        if (box := box_of(mailbox.name)) is None:
            missing += 1
            _say(f"{where}: NOT BROUGHT: nobody with a mailbox here is called that; --as {mailbox.name}=NAME says who")
            continue
        done = importer.bring(mailbox, box.user_id)
        missing += len(done.problems)
        _say(
            f"{where} -> {box.extension}: {done.brought} messages brought, {done.there} brought before,"
            f" {done.greetings} greetings, {done.lists} lists, {len(done.problems)} not read"
        )
    importer.hand_over({})
    _say("PINs are not in a mailstore: users set new ones at their own phones, or administrators in the portal.")
    if running:
        _say("The agent takes it up ...")
        clock, pause = SystemClock(), threading.Event()
        until = clock.monotonic() + _TAKEN_UP_SECONDS
        while (root / IMPORTED).exists() and clock.monotonic() < until:
            pause.wait(0.2)
        _say("It has." if not (root / IMPORTED).exists() else "It has not yet; it will with its next start.")
    else:
        _say("The agent does not run; it takes it up when it starts.")
    return not missing


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
