"""Fax put together for the media process: the fax mailboxes of the snapshot, and what is told of the engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from contract.snapshot import Fax
from contract.sync.events import EngineTold, FaxFailed, Happening
from edge_agent.clock import Clock
from edge_agent.health.alarms import Alarms
from edge_agent.media.applications.fax import FaxConfig, FaxReception
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.media.session import FaxReceived
from edge_agent.processes.link import Prepare

NOT_POSSIBLE: Final = "fax_not_possible"
FULL: Final = "fax_mailbox_full"


class SiteFax:
    """The fax mailboxes of a site; implements `FaxTold`.

    Args:
        folder: the state folder of the agent.
        store: of messages.
        report: takes events.
        engine: what the voice services run on.
        clock: for the application.
    """

    def __init__(
        self,
        folder: Path,
        store: MailboxStore,
        report: Callable[[Happening], object],
        engine: Literal["embedded", "freeswitch"],
        clock: Clock,
    ) -> None:
        self._report_event, self._engine = report, engine
        self._alarms = Alarms(self)
        self._prepared: FaxConfig | None = None
        self._config = FaxConfig()
        self._possible: bool | None = None
        self._mark = folder / "fax.alarm"
        """There while an alarm is active, so that the next run can tell when it is over."""
        self._left_over = self._mark.exists()
        self.application = FaxReception(
            store, lambda: self._config, self, clock, lambda: shutil.disk_usage(folder).free
        )

    def report(self, what: Happening) -> None:
        """See `Reporter`; kept soon."""
        self._report_event(what)

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        services = message.snapshot.dial_plan.voice_services
        self._prepared = FaxConfig({one.service_id: one for one in services if isinstance(one, Fax) and one.enabled})

    def commit(self) -> None:
        """Go by it, from the next call on."""
        if self._prepared is not None:
            self._config, self._prepared = self._prepared, None
            self._look()

    def can_receive(self, *, possible: bool) -> None:
        """See `FaxTold`; told where it is news."""
        if possible != self._possible:
            self._possible = possible
            self.report(EngineTold(engine=self._engine, receives_fax=possible))
            self._look()

    def is_full(self, mailbox: Fax, *, full: bool) -> None:
        """See `FaxTold`."""
        if full:
            text = f"{mailbox.name} ({mailbox.extension}) is full, and takes no more faxes"
            self._alarms.begin(FULL, "warning", text, mailbox.service_id)
            self._mark.touch(mode=0o600)
        else:
            self._alarms.end(FULL, mailbox.service_id)

    def failed(self, mailbox: Fax, received: FaxReceived) -> None:
        """See `FaxTold`; for the call's record."""
        if call := received.sip_call_id:
            told = {"station": received.station[:256], "result": received.result[:256]}
            self.report(FaxFailed(service_id=mailbox.service_id, sip_call_id=call[:1024], **told))

    def _look(self) -> None:
        """Whether somebody wants faxes where there can be none."""
        if self._possible is None:
            return
        if self._config.mailboxes and not self._possible:
            names = ", ".join(sorted(one.name for one in self._config.mailboxes.values()))
            how = "FreeSWITCH without mod_spandsp" if self._engine == "freeswitch" else "the embedded engine"
            text = f"this site's voice services run on {how}, which cannot receive fax: {names}"
            self._alarms.begin(NOT_POSSIBLE, "warning", text)
            self._mark.touch(mode=0o600)
            return
        self._alarms.end(NOT_POSSIBLE)
        if self._left_over:
            self._left_over = False
            for alarm in (NOT_POSSIBLE, FULL):
                self._alarms.forget(alarm)
        if not self._alarms.active():
            self._mark.unlink(missing_ok=True)
