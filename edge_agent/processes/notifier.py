"""`edge_agent.ports.Notifier` for subsystems that live outside of the SIP process: each notice is an order to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from edge_agent.ports import Notice, NoticeOutcome
from edge_agent.processes.link import Answer
from edge_agent.processes.supervisor import ProcessGone


class ProcessNotifier:
    """Sends notices through the SIP process, and knows which of them are lost when that ends.

    Args:
        order: has the SIP process do something at once.
        told: hears what becomes of each notice; a refusal by the process comes here too.
    """

    def __init__(
        self,
        order: Callable[[str, dict[str, str]], Awaitable[Answer]],
        told: Callable[[NoticeOutcome], None],
    ) -> None:
        self._order = order
        self._told = told
        self._open: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def notify(self, notice: Notice) -> None:
        """See `Notifier`; what is malformed is told as refused, with the reason."""
        self._open.add(notice.notice_id)
        task = asyncio.get_running_loop().create_task(self._send(notice))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def process_told(self, outcome: NoticeOutcome) -> None:
        """The SIP process said what became of a notice."""
        if outcome.state != "deferred":
            # A line has several phones: each of them is told, the first last word is enough not to call it lost.
            self._open.discard(outcome.notice_id)
        self._told(outcome)

    def process_ended(self) -> None:
        """The SIP process is gone, and what it had not said the last word on with it."""
        lost, self._open = sorted(self._open), set()
        for notice_id in lost:
            self._told(NoticeOutcome(notice_id, "lost", text="the SIP process ended before it was sent"))

    async def _send(self, notice: Notice) -> None:
        try:
            answer = await self._order("notify", asdict(notice))
        except ProcessGone as error:
            answer = Answer(order_id="0", ok=False, text=str(error))
        if not answer.ok and notice.notice_id in self._open:
            self._open.discard(notice.notice_id)
            self._told(NoticeOutcome(notice.notice_id, "refused", text=answer.text))
