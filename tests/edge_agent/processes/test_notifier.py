"""Notices on their way from the agent through the SIP process, also when that ends."""

from edge_agent.ports import Notice, NoticeOutcome
from edge_agent.processes.link import Answer
from edge_agent.processes.notifier import ProcessNotifier
from edge_agent.processes.supervisor import ProcessGone
from tests.support.waiting import eventually_async

NOTICE = Notice("n1", "check-sync", device_id="desk")


class Process:
    """Takes orders, or does not."""

    def __init__(self, *, ok: bool = True, gone: bool = False) -> None:
        self.ok, self.gone = ok, gone
        self.orders: list[tuple[str, dict[str, str]]] = []
        self.told: list[NoticeOutcome] = []
        self.notifier = ProcessNotifier(self.order, self.told.append)

    async def order(self, name: str, arguments: dict[str, str]) -> Answer:
        """See `Supervised.order`."""
        self.orders.append((name, arguments))
        if self.gone:
            raise ProcessGone("sip: is not running")
        return Answer(order_id="1", ok=self.ok, text="" if self.ok else "event is no event type")


async def test_a_notice_is_an_order_and_its_outcome_comes_back() -> None:
    process = Process()
    process.notifier.notify(NOTICE)
    await eventually_async(lambda: bool(process.orders))
    assert process.orders == [
        (
            "notify",
            {
                "notice_id": "n1",
                "event": "check-sync",
                "device_id": "desk",
                "line_id": "",
                "contact": "",
                "content_type": "",
                "body": "",
            },
        )
    ]
    outcome = NoticeOutcome("n1", "accepted", status=200)
    process.notifier.process_told(outcome)
    process.notifier.process_ended()
    assert process.told == [outcome]


async def test_a_notice_that_waits_is_lost_with_its_process() -> None:
    process = Process()
    process.notifier.notify(NOTICE)
    await eventually_async(lambda: bool(process.orders))
    process.notifier.process_told(NoticeOutcome("n1", "deferred"))
    process.notifier.process_ended()
    assert [one.state for one in process.told] == ["deferred", "lost"]


async def test_a_refused_notice_says_why_and_one_without_a_process_too() -> None:
    refusing, missing = Process(ok=False), Process(gone=True)
    for process in (refusing, missing):
        process.notifier.notify(NOTICE)
        await eventually_async(lambda process=process: bool(process.told))  # type: ignore[misc]
        process.notifier.process_ended()
    assert [(one.state, one.text) for one in refusing.told] == [("refused", "event is no event type")]
    assert [(one.state, one.text) for one in missing.told] == [("refused", "sip: is not running")]
