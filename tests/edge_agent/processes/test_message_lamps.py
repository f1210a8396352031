"""Counts of messages on their way from the process with the mailboxes to the one that knows the phones."""

import asyncio

from edge_agent.ports import MessagesWaiting
from edge_agent.processes.link import Answer
from edge_agent.processes.message_lamps import ProcessMessageLamps
from edge_agent.processes.supervisor import ProcessGone


class SipProcess:
    """Remembers what it was told; `away`: it cannot be told anything."""

    def __init__(self) -> None:
        self.away = False
        self.told: list[tuple[str, str]] = []

    async def order(self, name: str, arguments: dict[str, str]) -> Answer:
        """See `Supervised.order`."""
        await asyncio.sleep(0)
        if self.away:
            raise ProcessGone("sip: is not running")
        assert name == "messages_waiting"
        self.told.append((arguments["user_id"], arguments["new"]))
        return Answer(order_id="1", ok=True)


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_of_two_counts_of_one_mailbox_the_later_is_told_last() -> None:
    process = SipProcess()
    lamps = ProcessMessageLamps(process.order)
    lamps.messages_waiting(MessagesWaiting("user-1", new=1))
    lamps.messages_waiting(MessagesWaiting("user-2", new=7))
    lamps.messages_waiting(MessagesWaiting("user-1", new=2))
    await _settled()
    assert process.told == [("user-1", "2"), ("user-2", "7")]


async def test_what_changed_while_the_process_was_away_is_told_when_it_is_back() -> None:
    process = SipProcess()
    lamps = ProcessMessageLamps(process.order)
    process.away = True
    lamps.messages_waiting(MessagesWaiting("user-1", new=1))
    await _settled()
    process.away = False
    lamps.tell_again()
    await _settled()
    assert process.told == [("user-1", "1")]


async def test_a_process_that_was_started_again_is_told_every_count() -> None:
    process = SipProcess()
    lamps = ProcessMessageLamps(process.order)
    lamps.messages_waiting(MessagesWaiting("user-1", new=1))
    lamps.messages_waiting(MessagesWaiting("user-2", new=2))
    await _settled()
    process.told.clear()
    lamps.tell_again()
    await _settled()
    assert sorted(process.told) == [("user-1", "1"), ("user-2", "2")]
