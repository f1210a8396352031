"""Fax: a call to a fax mailbox is answered by the engine's fax, and what comes is a message of its owners.

Where the engine has no fax the call is refused, so that the machine that sends tells so, and whoever looks after the
site is told once. Pages that came before a transfer broke off are kept, and said to be incomplete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from contract.snapshot import Fax
from contract.sync.mailbox_events import FaxSheets
from edge_agent.clock import Clock
from edge_agent.durable_file import LEAST_FREE_BYTES
from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.message import Caller
from edge_agent.media.mailbox.store import Draft, MailboxFull, MailboxStore
from edge_agent.media.session import FaxReceived, MediaSession, Prompt, ReceivesFax

log = logging.getLogger(__name__)

LONGEST_SECONDS: Final = 3600.0
"""A fax that takes longer is ended; an hour is some hundred pages at the lowest speed."""
NOT_HERE: Final = (488, "Not Acceptable Here", "this site's engine cannot receive fax")
FULL: Final = (480, "Temporarily Unavailable", "the fax mailbox is full")
NO_DISK: Final = (480, "Temporarily Unavailable", "the fax cannot be stored now")
_STOPPED: Final = FaxSheets(pages=1, complete=False, result="the edge was stopped while it came")


class FaxTold(Protocol):
    """Hears what whoever looks after the site should know."""

    def can_receive(self, *, possible: bool) -> None:
        """Whether the engine can, as it was just asked."""
        ...

    def is_full(self, mailbox: Fax, *, full: bool) -> None:
        """A fax was turned away because its mailbox is full; or there was room for one."""
        ...

    def failed(self, mailbox: Fax, received: FaxReceived) -> None:
        """A call ended before a whole page had come."""
        ...


@dataclass(frozen=True, slots=True)
class FaxConfig:
    """What the application goes by: the fax mailboxes that are switched on, by id."""

    mailboxes: Mapping[str, Fax] = field(default_factory=dict)


class FaxReception:
    """Takes faxes.

    Args:
        store: of messages.
        config: asked at the beginning of each call.
        told: see `FaxTold`.
        clock: how long a fax took.
        free_bytes: how much room the disk has.
    """

    def __init__(
        self,
        store: MailboxStore,
        config: Callable[[], FaxConfig],
        told: FaxTold,
        clock: Clock,
        free_bytes: Callable[[], int],
    ) -> None:
        self._store, self._config, self._told, self._clock = store, config, told, clock
        self._free_bytes = free_bytes

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """None."""
        return ()

    async def run(self, session: MediaSession) -> None:
        """Serve one call."""
        mailbox = self._config().mailboxes.get(session.arguments.get("service", ""))
        if mailbox is None:
            return
        possible = isinstance(session, ReceivesFax) and await session.can_receive_fax()
        self._told.can_receive(possible=possible)
        if not possible or not isinstance(session, ReceivesFax):
            await session.refuse(*NOT_HERE)
            return
        caller = Caller(number=session.caller[:256], name=session.caller_name[:256])
        try:
            draft = await asyncio.to_thread(self._begun, mailbox, caller)
        except MailboxFull:
            self._told.is_full(mailbox, full=True)
            await session.refuse(*FULL)
            return
        except OSError:
            log.exception("fax_not_begun")
            await session.refuse(*NO_DISK)
            return
        self._told.is_full(mailbox, full=False)
        await self._receive(session, session, mailbox, draft)

    def _begun(self, mailbox: Fax, caller: Caller) -> Draft:
        if (free := self._free_bytes()) < LEAST_FREE_BYTES:
            raise OSError(f"{free} bytes are free on the disk, at least {LEAST_FREE_BYTES} are needed")
        return self._store.begin(mailbox.service_id, caller, _STOPPED)

    async def _receive(self, session: MediaSession, engine: ReceivesFax, mailbox: Fax, draft: Draft) -> None:
        began = self._clock.monotonic()
        station = mailbox.station or mailbox.extension
        receiving = asyncio.ensure_future(engine.receive_fax(draft.audio, station, t38=mailbox.t38))
        try:
            done, _ = await asyncio.wait({receiving}, timeout=LONGEST_SECONDS)
            if not done:
                await session.hang_up()
            received = await receiving
        except MediaError as error:
            received = FaxReceived(complete=False, result=str(error))
        finally:
            receiving.cancel()
        if not await asyncio.to_thread(self._keep, mailbox, draft, received, self._clock.monotonic() - began):
            self._told.failed(mailbox, received)

    def _keep(self, mailbox: Fax, draft: Draft, received: FaxReceived, seconds: float) -> bool:
        """Whether there was a page to keep."""
        facts = FaxSheets(
            pages=1,
            station=received.station[:256],
            complete=received.complete,
            result=received.result[:256],
            sip_call_id=received.sip_call_id[:1024],
        )
        about = {"mailbox": mailbox.service_id, "complete": received.complete, "result": received.result[:200]}
        try:
            kept = self._store.keep_fax(draft, facts, seconds)
        except MediaError:
            self._store.discard(draft)
            log.warning("fax_not_received", extra=about)
            return False
        pages = kept.fax.pages if kept.fax is not None else 0
        log.info("fax_received", extra={**about, "pages": pages})
        return True
