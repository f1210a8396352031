"""Voicemail put together for the media process: mailboxes on disk, what the snapshot says of them, lamps and state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from contract.sync.state import StateRecord, merge
from edge_agent.clock import Clock
from edge_agent.media.applications.voicemail import Voicemail, VoicemailConfig
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.media.speech import Languages
from edge_agent.ports import MessagesWaiting
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare
from edge_agent.tokens import Tokens
from edge_agent.views import mailbox_limits, voicemail_config

FOLDER: Final = "mailboxes"
CLEAN_SECONDS: Final = 3600.0


class SiteVoicemail:
    """The voicemail of a site. Made, and prepared, off the loop's thread: both read the disk.

    Args:
        folder: the state folder of the agent.
        bell: takes what users change, and what lamps are to show.
        clock, tokens: the moment, and ids.
    """

    def __init__(self, folder: Path, bell: Bell, clock: Clock, tokens: Tokens) -> None:
        self._bell = bell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._state: dict[str, StateRecord] = {}
        self._message: Prepare | None = None
        self._prepared: Prepare | None = None
        self._config = VoicemailConfig()
        self._cleaner: asyncio.TimerHandle | None = None
        self.store = MailboxStore(folder / FOLDER, clock, tokens, changed=self._changed)
        self.application = Voicemail(self.store, Languages(), lambda: self._config, self._wrote, clock, tokens)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        self._prepared = message

    def commit(self) -> None:
        """Go by it; on the loop."""
        if self._prepared is None:
            return
        self._message, self._prepared = self._prepared, None
        self._merge(self._message.state)
        self._take_up()
        loop = self._loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._tell_all, tuple(self._config.mailboxes))
        if self._cleaner is None:
            self._cleaner = loop.call_later(CLEAN_SECONDS, self._clean)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Users changed something."""
        self._merge(records)
        self._take_up()

    def stop(self) -> None:
        """No more cleaning."""
        if self._cleaner is not None:
            self._cleaner.cancel()

    def _merge(self, records: Iterable[StateRecord]) -> None:
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)

    def _take_up(self) -> None:
        if self._message is not None:
            self._config = voicemail_config(self._message.snapshot, self._state)
            self.store.limits = mailbox_limits(self._message.snapshot)

    def _wrote(self, values: dict[str, str]) -> None:
        self._bell.wrote(dict(values))

    def _tell_all(self, user_ids: Iterable[str]) -> None:
        for user_id in user_ids:
            self.store.tell(user_id)

    def _changed(self, mailbox: str) -> None:
        """Tell the lamps; in the thread that wrote, before anything else is, so that a later count comes later."""
        if self._loop is not None:
            found = self.store.counts(mailbox)
            told = MessagesWaiting(mailbox, found.new, found.old, found.urgent_new, found.urgent_old)
            self._loop.call_soon_threadsafe(self._bell.messages_waiting, told)

    def _clean(self) -> None:
        if self._loop is not None:
            self._loop.run_in_executor(None, self.store.clean)
            self._cleaner = self._loop.call_later(CLEAN_SECONDS, self._clean)
