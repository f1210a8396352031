"""A process's way to the outbox: written by the process itself, so that it is safe before anything is answered."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contract.sync.events import Happening, RegistrationChanged
from edge_agent.clock import Clock
from edge_agent.ports import CallEnd, OpenCall
from edge_agent.processes.child import Bell
from edge_agent.sync.held_events import HeldEvents
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import Tokens

SETTLE_SECONDS: Final = 0.2
"""How long events gather before they are carried into the outbox; the disk has them within a second with this."""
_BUSY_MS: Final = 5
"""How long calls may wait for the outbox while another process writes, which may have less priority and not run just
then; what gathers waits for the next time."""


Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds."""


class GatheredReporting:
    """Implements `Reporter` and `CallJournal` for a process that handles thousands of events a second.

    They are safe at the end of each batch and gather for a moment on their way to the outbox; then the agent is told.

    Args:
        state_dir: where the outbox lies.
        process: name of this process.
        bell: tells the agent.
        clock: for the moments of events.
        tokens: for the outbox.
        later: sets a timer; by default the running event loop's.
    """

    def __init__(
        self, state_dir: Path, process: str, bell: Bell, clock: Clock, tokens: Tokens, later: Later | None = None
    ) -> None:
        outbox = Outbox.open(state_dir / "outbox.db", clock, tokens, busy_ms=_BUSY_MS)
        self._held = HeldEvents(outbox, process, state_dir, clock)
        self._bell = bell
        self._later: Later = later or asyncio.get_running_loop().call_later
        self._waits = False

    def report(self, what: Happening) -> None:
        """Keep an event."""
        self._held.report(what)
        self._wait()

    def opened(self, call: OpenCall) -> None:
        """Keep a call in progress."""
        self._held.opened(call)
        self._wait()

    def joined(self, call: OpenCall, other_id: str) -> None:
        """Let two calls in progress be one."""
        self._held.joined(call, other_id)
        self._wait()

    def closed(self, call: OpenCall, end: CallEnd) -> None:
        """End a call in its record."""
        self._held.closed(call, end)
        self._wait()

    def keep(self) -> None:
        """Make everything safe against kill -9."""
        self._held.keep()

    def settle(self) -> None:
        """Carry everything into the outbox now, or soon when the disk would not."""
        if self._held.settle():
            self._bell.ring()
        else:
            self._wait()

    def close(self) -> None:
        """Carry over what is left and release the files."""
        self._held.close()

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._later(SETTLE_SECONDS, self._due)

    def _due(self) -> None:
        self._waits = False
        if self._held.waiting:
            self.settle()


class SipReporting(GatheredReporting):
    """Says besides what phones are that register: firmware is told by it. Arguments as `GatheredReporting`."""

    def __init__(
        self, state_dir: Path, process: str, bell: Bell, clock: Clock, tokens: Tokens, later: Later | None = None
    ) -> None:
        super().__init__(state_dir, process, bell, clock, tokens, later)
        self._shown: dict[str, str] = {}

    def report(self, what: Happening) -> None:
        """Keep an event."""
        super().report(what)
        if not isinstance(what, RegistrationChanged) or what.state != "registered":
            return
        if what.device_id and what.user_agent and self._shown.get(what.device_id) != what.user_agent:
            self._shown[what.device_id] = what.user_agent
            self._bell.showed(what.device_id, what.user_agent)


class Reporting:
    """Implements `Reporter` for a process whose events come one by one: each is safe when `report` returns.

    They gather on their way to the outbox all the same: where a thousand phones boot, the outbox, which calls write to
    as well, is taken a few times a second and not for each phone, and the agent is told as often.

    Args:
        state_dir: where the outbox lies.
        process: name of this process.
        bell: tells the agent.
        clock: for the moments of events.
        tokens: for the outbox.
        later: sets a timer; by default the running event loop's.
    """

    def __init__(
        self, state_dir: Path, process: str, bell: Bell, clock: Clock, tokens: Tokens, later: Later | None = None
    ) -> None:
        self._gathered = GatheredReporting(state_dir, process, bell, clock, tokens, later)

    def report(self, what: Happening) -> None:
        """Keep an event."""
        self._gathered.report(what)
        self._gathered.keep()

    def settle(self) -> None:
        """Carry everything into the outbox now, or soon when the disk would not."""
        self._gathered.settle()

    def close(self) -> None:
        """Carry over what is left and release the files."""
        self._gathered.close()
