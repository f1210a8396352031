"""What the edge tells of its mailboxes: each change, also what nobody could tell; and what the cloud wants of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.sync.mailbox_events import MessageChanged, MessageWish
from contract.sync.state import Stamp, next_stamp
from edge_agent.clock import SystemClock
from edge_agent.mailbox_ledger import FILE, MailboxLedger
from edge_agent.media.mailbox.message import Caller, Folder, Message
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.processes.mailbox_telling import MailboxTelling, WishRefused
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.left_messages import sound
from tests.support.waiting import eventually

CLOCK, TOKENS = SystemClock(), SystemTokens()
NUMBER = "user-201"


class Edge:
    """Mailboxes and their telling; killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.telling: MailboxTelling | None = None
        self.start()

    def start(self) -> None:
        self.store = MailboxStore(self.folder / "mailboxes", CLOCK, TOKENS, changed=self._changed)
        self.ledger = MailboxLedger(self.folder / FILE)
        outbox = Outbox.open(self.folder / "outbox.db", CLOCK, TOKENS)
        self.telling = MailboxTelling(self.store, self.ledger, outbox, CLOCK, lambda: None)
        self.telling.begin()

    def stop(self) -> None:
        if self.telling is not None:
            self.telling.close()
            self.telling = None

    def leave(self, content: bytes = b"") -> Message:
        draft = self.store.begin(NUMBER, Caller(number="200", name="Ada"))
        draft.audio.write_bytes(content or sound())
        return self.store.keep(draft)

    def told(self) -> list[MessageChanged]:
        """Everything in the outbox."""
        outbox = Outbox.open(self.folder / "outbox.db", CLOCK, TOKENS)
        found = [one.body.what for one in outbox.read(0, 1000)]
        outbox.close()
        return [one for one in found if isinstance(one, MessageChanged)]

    def wait_for(self, count: int) -> list[MessageChanged]:
        eventually(lambda: len(self.told()) >= count, within=20, what=f"{count} events")
        assert len(self.told()) == count
        return self.told()

    def wish(self, message: Message, stamp: Stamp, **more: Any) -> str:
        values = {"folder": "saved", "heard": True, **more}
        wish = MessageWish(user_id=NUMBER, message_id=message.message_id, stamp=stamp, **values)
        assert self.telling is not None
        return self.telling.change(wish.arguments()).result(20)

    def _changed(self, mailbox: str) -> None:
        if self.telling is not None:
            self.telling.changed(mailbox)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    made = Edge(tmp_path)
    yield made
    made.stop()


def test_every_change_of_a_message_is_told_with_a_later_stamp(edge: Edge) -> None:
    message = edge.leave()
    (left,) = edge.wait_for(1)
    assert (left.caller_number, left.caller_name, left.folder, left.heard) == ("200", "Ada", "inbox", False)
    assert left.recording.size_bytes == len(sound())
    edge.store.mark_heard(NUMBER, message.message_id)
    edge.wait_for(2)
    edge.store.move(NUMBER, message.message_id, Folder.DELETED)
    edge.wait_for(3)
    edge.store.empty_deleted(NUMBER)
    told = edge.wait_for(4)
    assert [(one.folder, one.heard, one.gone) for one in told] == [
        ("inbox", False, False),
        ("inbox", True, False),
        ("deleted", True, False),
        ("deleted", True, True),
    ]
    assert [one.stamp.order() for one in told] == sorted({one.stamp.order() for one in told})
    assert edge.ledger.waiting(()) is None


def test_what_changed_while_nobody_told_is_told_at_the_next_start_and_nothing_twice(edge: Edge) -> None:
    first, second = edge.leave(), edge.leave(sound(2.0))
    edge.wait_for(2)
    edge.stop()
    edge.store.move(NUMBER, first.message_id, Folder.SAVED)
    edge.store.remove("somebody")
    third = edge.leave(sound(3.0))
    edge.start()
    told = edge.wait_for(4)[2:]
    assert {one.message_id for one in told} == {first.message_id, third.message_id}
    assert second.message_id not in {one.message_id for one in told}
    assert not any(one.listed for one in told)


def test_messages_from_before_are_listed_and_not_told_as_news(tmp_path: Path) -> None:
    old = MailboxStore(tmp_path / "mailboxes", CLOCK, TOKENS)
    draft = old.begin(NUMBER, Caller(number="200"))
    draft.audio.write_bytes(sound())
    old.keep(draft)
    edge = Edge(tmp_path)
    (listed,) = edge.wait_for(1)
    assert listed.listed
    edge.leave()
    assert not edge.wait_for(2)[1].listed
    edge.stop()


def test_an_outbox_that_was_lost_has_everything_told_again_with_the_same_stamps(edge: Edge) -> None:
    edge.leave()
    (before,) = edge.wait_for(1)
    edge.stop()
    for file in edge.folder.glob("outbox.db*"):
        file.unlink()
    edge.start()
    (again,) = edge.wait_for(1)
    assert again == before.model_copy(update={"listed": True})


def test_a_wish_of_the_cloud_is_done_and_told_with_its_own_stamp(edge: Edge) -> None:
    message = edge.leave()
    (left,) = edge.wait_for(1)
    stamp = next_stamp(left.stamp, "cloud", 0)
    assert edge.wish(message, stamp) == "in saved"
    assert edge.store.message(NUMBER, message.message_id).folder is Folder.SAVED
    assert edge.wait_for(2)[1].stamp == stamp
    # An answer that was lost: asked for again, it changes nothing.
    edge.wish(message, stamp)
    assert len(edge.told()) == 2


def test_a_later_change_at_the_site_counts_more_than_an_earlier_wish(edge: Edge) -> None:
    message = edge.leave()
    (left,) = edge.wait_for(1)
    wished = next_stamp(left.stamp, "cloud", 0)
    edge.store.move(NUMBER, message.message_id, Folder.DELETED)
    edge.wait_for(2)
    assert edge.wish(message, wished) == "a later change at the site counts"
    assert edge.store.message(NUMBER, message.message_id).folder is Folder.DELETED


def test_a_wish_that_cannot_be_is_refused_with_the_reason(edge: Edge) -> None:
    message = edge.leave()
    (left,) = edge.wait_for(1)
    edge.store.move(NUMBER, message.message_id, Folder.DELETED)
    edge.store.empty_deleted(NUMBER)
    with pytest.raises(WishRefused, match="there is no message"):
        edge.wish(message, next_stamp(left.stamp, "cloud", 0))
    assert edge.telling is not None
    with pytest.raises(WishRefused, match="folder"):
        edge.telling.change({"user_id": NUMBER, "message_id": "0123456789abcdef", "heard": "true"}).result(20)


def test_copies_of_a_message_share_one_recording_that_is_sent_once(edge: Edge) -> None:
    message = edge.leave()
    edge.wait_for(1)
    edge.store.copy_to(NUMBER, message.message_id, ["user-202"])
    edge.wait_for(2)
    waiting = edge.ledger.waiting(())
    assert waiting is not None
    edge.ledger.sent(waiting.digest)
    assert edge.ledger.waiting(()) is None
