"""Voicemail put together for the media process: mailboxes on disk, what the snapshot says of them, lamps and state."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from contract.mailbox_state import GREETING, LIST
from contract.snapshot import Fax
from contract.sync.mailbox_events import CHANGE_MESSAGE
from contract.sync.state import StateRecord, merge
from edge_agent.clock import Clock
from edge_agent.mailbox_ledger import FILE, MailboxLedger
from edge_agent.media.applications.voicemail import Mailbox, Voicemail, VoicemailConfig
from edge_agent.media.mailbox.store import IMPORTED, MailboxStore
from edge_agent.media.speech import Languages
from edge_agent.ports import MessagesWaiting
from edge_agent.processes.child import Bell
from edge_agent.processes.link import Prepare
from edge_agent.processes.mailbox_telling import MailboxTelling
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import Tokens
from edge_agent.views import mailbox_limits, voicemail_config

log = logging.getLogger(__name__)

FOLDER: Final = "mailboxes"
TELL_MAILBOXES: Final = "tell_mailboxes"
"""Order to the media process: tell the cloud what the ledger says is to be told again."""
CLEAN_SECONDS: Final = 3600.0
LOOK_SECONDS: Final = 5.0
"""How often somebody may have brought mailboxes of another system (`tandem-edge import-mailstore`)."""
_MOST_IMPORTED_BYTES: Final = 1 << 24


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
        self._faxes: frozenset[str] = frozenset()
        self._cleaner: asyncio.TimerHandle | None = None
        self._looker: asyncio.TimerHandle | None = None
        self._imported = folder / FOLDER / IMPORTED
        self.store = MailboxStore(folder / FOLDER, clock, tokens, changed=self._changed)
        outbox = Outbox.open(folder / "outbox.db", clock, tokens)
        self._telling = MailboxTelling(self.store, MailboxLedger(folder / FILE), outbox, clock, self._told)
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
            self._telling.begin()
            self._cleaner = loop.call_later(CLEAN_SECONDS, self._clean)
            self._look()

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Users changed something."""
        self._merge(records)
        self._take_up()

    async def order(self, name: str, arguments: Mapping[str, str]) -> str:
        """What the cloud wants of a message (`CHANGE_MESSAGE`), or `TELL_MAILBOXES`.

        Raises:
            WishRefused: it cannot be done.
        """
        if name == CHANGE_MESSAGE:
            return await asyncio.wrap_future(self._telling.change(arguments))
        self._telling.look_again()
        return "told again"

    def stop(self) -> None:
        """No more cleaning, no more telling."""
        if self._cleaner is not None:
            self._cleaner.cancel()
        if self._looker is not None:
            self._looker.cancel()
        self._loop = None
        self._telling.close()

    def _merge(self, records: Iterable[StateRecord]) -> None:
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)

    def _take_up(self) -> None:
        if self._message is not None:
            self._config = voicemail_config(self._message.snapshot, self._state)
            self.store.limits = mailbox_limits(self._message.snapshot)
            services = self._message.snapshot.dial_plan.voice_services
            self._faxes = frozenset(one.service_id for one in services if isinstance(one, Fax))

    def _wrote(self, values: dict[str, str]) -> None:
        self._bell.wrote(dict(values))

    def _tell_all(self, user_ids: Iterable[str]) -> None:
        for user_id in user_ids:
            self.store.tell(user_id)

    def _changed(self, mailbox: str) -> None:
        """Tell the lamps; in the thread that wrote, before anything else is, so that a later count comes later."""
        if self._loop is not None:
            box = self._config.mailboxes.get(mailbox)
            for user_id in self._shown(mailbox, box):
                self._loop.call_soon_threadsafe(self._bell.messages_waiting, self._waiting(user_id))
            self._telling.changed(mailbox)

    def _shown(self, mailbox: str, box: Mailbox | None) -> tuple[str, ...]:
        """Whose lamps tell of a mailbox; faxes wait in none, because no phone reads them out."""
        if box is not None and box.owners:
            return box.owners
        return () if mailbox in self._faxes else (mailbox,)

    def _waiting(self, user_id: str) -> MessagesWaiting:
        """What a user's lamp tells of: his own mailbox, and those that he owns with others."""
        groups = self._config.owned_by(user_id)
        found = [self.store.counts(one) for one in (user_id, *(group.user_id for group in groups))]
        return MessagesWaiting(
            user_id,
            sum(one.new for one in found),
            sum(one.old for one in found),
            sum(one.urgent_new for one in found),
            sum(one.urgent_old for one in found),
        )

    def _told(self) -> None:
        """Wake the sender; in the telling's thread."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._bell.ring)

    def _look(self) -> None:
        """Take up what was brought from another system."""
        if self._loop is not None:
            self._loop.run_in_executor(None, self._take_up_imported)
            self._looker = self._loop.call_later(LOOK_SECONDS, self._look)

    def _take_up_imported(self) -> None:
        """What users set here since counts more than what they had set there."""
        try:
            with self._imported.open("rb") as file:
                wanted = json.loads(file.read(_MOST_IMPORTED_BYTES))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            log.warning("imported_unreadable", extra={"file": str(self._imported)})
            wanted = {}
        taken = self.store.take_up()
        values = {
            str(key): value
            for key, value in (wanted.items() if isinstance(wanted, dict) else ())
            if isinstance(value, str) and key not in self._state and str(key).partition("/")[0] in (GREETING, LIST)
        }
        if values and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wrote, values)
        self._imported.unlink(missing_ok=True)
        log.info("mailboxes_imported", extra={"messages": taken, "settings": len(values)})

    def _clean(self) -> None:
        if self._loop is not None:
            self._loop.run_in_executor(None, self.store.clean)
            self._cleaner = self._loop.call_later(CLEAN_SECONDS, self._clean)
