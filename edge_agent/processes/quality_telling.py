"""What the media process tells, on its way to the outbox: in a thread of its own, so that no tick waits.

That is how well calls were heard, and what became of callers of queues.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from contract.sync.events import Happening
from contract.sync.quality import CallQuality
from edge_agent.clock import Clock
from edge_agent.processes.child import Bell
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import Tokens


class QualityTelling:
    """Reports what engine and relay measured, and what applications tell.

    Made off the loop's thread: it reads the disk.

    Args:
        state_dir: where the outbox lies.
        bell: tells the agent.
        clock, tokens: for the outbox.

    Raises:
        sqlite3.Error, OSError: the outbox cannot be opened.
    """

    def __init__(self, state_dir: Path, bell: Bell, clock: Clock, tokens: Tokens) -> None:
        self._outbox = Outbox.open(state_dir / "outbox.db", clock, tokens)
        self._bell = bell
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="quality-telling")

    def measured(self, what: CallQuality) -> None:
        """See `QualityTold`; on the loop."""
        self.report(what)

    def report(self, what: Happening) -> Future[None]:
        """Keep an event, soon, and done then; on the loop."""
        return self._thread.submit(self._report, what, asyncio.get_running_loop())

    def close(self) -> None:
        """Report what waits, and no more."""
        self._thread.shutdown(wait=True)
        self._outbox.close()

    def _report(self, what: Happening, loop: asyncio.AbstractEventLoop) -> None:
        self._outbox.report(what)
        with contextlib.suppress(RuntimeError):  # the loop has closed: the next start sends it
            loop.call_soon_threadsafe(self._bell.ring)
