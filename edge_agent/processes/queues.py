"""Call queues put together for the media process: queues by the snapshot, who is logged in by site state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from contract.dialplan import CompiledPlan, call_back_number, compile_plan
from contract.snapshot import CallQueue
from contract.sync.questions import QUEUE_ATTEND, QUEUES
from contract.sync.queue_events import QueueCallEnded
from contract.sync.state import StateRecord, merge
from edge_agent.clock import Clock
from edge_agent.media.applications.music_on_hold import HoldMusic
from edge_agent.media.applications.queue import CallQueues, QueueConfig, queue_config
from edge_agent.media.applications.queue.kept import CallerFolder, KeptCaller
from edge_agent.media.applications.queue.live import Supervisors, shown
from edge_agent.media.calling import PhoneCaller
from edge_agent.media.speech import Languages
from edge_agent.processes.child import UnknownOrder
from edge_agent.processes.link import Prepare
from edge_agent.tokens import Tokens

ORDERS: Final = frozenset({QUEUES, QUEUE_ATTEND})
"""What this takes, of what the agent passes on."""
Report = Callable[[QueueCallEnded], "Future[None]"]
"""Tells of a caller; done once that is safe."""


class SiteQueues:
    """The call queues of a site.

    Args:
        phones: rings agents.
        clock, tokens: the moment, and names of mixes.
        music: what callers hear who wait.
    """

    def __init__(self, phones: PhoneCaller, clock: Clock, tokens: Tokens, music: HoldMusic) -> None:
        self._clock = clock
        self._state: dict[str, StateRecord] = {}
        self._prepared: Prepare | None = None
        self._message: Prepare | None = None
        self._config = QueueConfig()
        self._plan: CompiledPlan | None = None
        """What may be called back goes by it; None: no queue calls back."""
        self._prepared_plan: CompiledPlan | None = None
        self._report: Report | None = None
        self._folder: CallerFolder | None = None
        self.application = CallQueues(
            Languages(),
            lambda: self._config,
            phones,
            clock,
            tokens,
            self._ended,
            lambda: self._folder,
            self.number_for,
            music,
        )
        self._supervisors = Supervisors(self.application, lambda: self._config, phones, clock)

    def start(self, folder: CallerFolder, kept: Iterable[KeptCaller], report: Report) -> None:
        """Go on with the callers of an earlier process.

        Args:
            folder: where callers are kept.
            kept: what it had.
            report: to whom it is told what became of callers.
        """
        self._folder, self._report = folder, report
        self.application.restore(kept)

    async def stop(self) -> None:
        """Ring nobody any longer, and write what waits."""
        await self.application.close()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.close)

    async def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration; what takes long is done beside the loop, which has a tick to keep."""
        services = message.snapshot.dial_plan.voice_services
        calls_back = any(isinstance(one, CallQueue) and one.call_back is not None for one in services)
        plan = await asyncio.to_thread(compile_plan, message.snapshot) if calls_back else None
        self._prepared, self._prepared_plan = message, plan

    def commit(self) -> None:
        """Go by it at once, also for those who wait."""
        if self._prepared is not None:
            self._message, self._prepared = self._prepared, None
            self._plan, self._prepared_plan = self._prepared_plan, None
            self.set_state(self._message.state)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Agents logged in or out."""
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)
        if self._message is not None:
            snapshot = self._message.snapshot
            self._config = queue_config(snapshot.dial_plan.voice_services, snapshot.users, self._state)
            self.application.changed()

    def order(self, name: str, arguments: Mapping[str, str]) -> str:
        """Answer a question, or ring a supervisor; what came of it as JSON.

        Raises:
            UnknownOrder: it is no order of queues.
            MediaError: it cannot be done, and why.
        """
        if name == QUEUES:
            return shown(self.application, self._config, self._state, self._clock).model_dump_json()
        if name != QUEUE_ATTEND:
            raise UnknownOrder(f"queues know no order {name}")
        wanted = [arguments.get(one, "") for one in ("agent", "supervisor", "action")]
        return self._supervisors.attend(*wanted).model_dump_json()

    def _ended(self, what: QueueCallEnded) -> None:
        folder = self._folder
        if self._report is not None and folder is not None:

            def reported(report: Future[None]) -> None:
                # Otherwise the next process tells of him.
                if not report.cancelled() and report.exception() is None:
                    folder.forget(what.call_id)

            self._report(what).add_done_callback(reported)

    def number_for(self, queue_id: str, shown: str) -> str | None:
        """What is dialled to call a number back for a queue; None: it may not be."""
        if self._plan is None:
            return None
        return call_back_number(self._plan, queue_id, shown, self._clock.now())


def opened_folder(state_dir: Path) -> tuple[CallerFolder, list[KeptCaller]]:
    """Where callers of queues are kept, and who is there; reads the disk.

    Raises:
        OSError: it cannot be made.
    """
    folder = CallerFolder(state_dir / "queue_callers")
    return folder, folder.load()
