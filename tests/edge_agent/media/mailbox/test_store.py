"""Mailboxes on disk: what was kept stays, whole, through kill -9, damage and full boxes."""

import os
import signal
import subprocess
import sys
import tempfile
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from edge_agent.media.errors import MediaError
from edge_agent.media.mailbox.files import BadMailbox
from edge_agent.media.mailbox.message import Caller, Counts, Folder, Message
from edge_agent.media.mailbox.store import MailboxFull, MailboxLimits, MailboxStore, NoSuchMessage
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock
from tests.support.waiting import eventually

CALLER = Caller(number="+4930123456", name="Somebody")


def record(path: Path, seconds: float = 2.0) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x01\x02" * int(8000 * seconds))


def leave(store: MailboxStore, mailbox: str = "u-1", seconds: float = 2.0, *, urgent: bool = False) -> Message:
    draft = store.begin(mailbox, CALLER)
    record(draft.audio, seconds)
    return store.keep(draft, urgent=urgent)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def opened(root: Path, clock: HandClock, **limits: int) -> MailboxStore:
    return MailboxStore(root, clock, SystemTokens(), MailboxLimits(**limits))


def test_a_message_that_was_left_is_there_after_a_restart_with_its_audio(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    left = leave(store, urgent=True)
    assert (left.duration_seconds, left.heard, left.folder) == (2.0, False, Folder.INBOX)
    again = opened(tmp_path, clock)
    assert again.messages("u-1", Folder.INBOX) == [left]
    (audio,) = again.audio("u-1", left.message_id)
    assert audio.stat().st_size > 32_000
    assert again.counts("u-1") == Counts(new=1, urgent_new=1)
    # Only the owner of the process may read what people said.
    assert audio.parent.stat().st_mode & 0o777 == 0o700


def test_the_urgent_come_first_until_they_are_heard_then_the_newest(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    urgent = leave(store, urgent=True)
    clock.advance(60)
    older = leave(store)
    clock.advance(60)
    newer = leave(store)
    ids = [urgent.message_id, newer.message_id, older.message_id]
    assert [one.message_id for one in store.messages("u-1", Folder.INBOX)] == ids
    store.mark_heard("u-1", urgent.message_id)
    assert [one.message_id for one in store.messages("u-1", Folder.INBOX)] == [*ids[1:], ids[0]]


def test_messages_go_to_saved_and_deleted_and_back_and_the_lamp_follows(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    told: list[str] = []
    store = MailboxStore(tmp_path, clock, SystemTokens(), changed=told.append)
    first, second = leave(store), leave(store)
    assert store.counts("u-1") == Counts(new=2)
    store.mark_heard("u-1", first.message_id)
    assert store.counts("u-1") == Counts(new=1, old=1)
    store.move("u-1", first.message_id, Folder.SAVED)
    store.move("u-1", second.message_id, Folder.DELETED)
    assert store.counts("u-1") == Counts(old=1)
    store.move("u-1", second.message_id, Folder.INBOX)
    assert store.counts("u-1") == Counts(old=2)
    assert told == ["u-1"] * 6
    assert opened(tmp_path, clock).counts("u-1") == Counts(old=2)


def test_the_deleted_go_after_their_days_and_others_only_where_the_site_wants_it(
    tmp_path: Path, clock: HandClock
) -> None:
    store = opened(tmp_path, clock, deleted_days=7)
    kept, deleted = leave(store), leave(store)
    store.move("u-1", deleted.message_id, Folder.DELETED)
    clock.advance(timedelta(days=8).total_seconds())
    assert store.clean() == 1
    assert [one.message_id for one in store.messages("u-1", Folder.INBOX)] == [kept.message_id]
    assert list(tmp_path.rglob(f"{deleted.message_id}*")) == []
    assert opened(tmp_path, clock, kept_days=7).clean() == 1
    assert list(tmp_path.rglob("*.wav")) == []


def test_the_deleted_can_be_emptied_at_once(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    left = leave(store)
    store.move("u-1", left.message_id, Folder.DELETED)
    assert store.empty_deleted("u-1") == 1
    assert store.messages("u-1", Folder.DELETED) == []
    with pytest.raises(NoSuchMessage):
        store.audio("u-1", left.message_id)


def test_a_full_mailbox_takes_no_more_and_says_so(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock, messages=2)
    for _ in range(2):
        leave(store)
    with pytest.raises(MailboxFull):
        store.begin("u-1", CALLER)
    leave(store, "u-2")


def test_a_message_is_sent_on_with_a_comment_and_outlives_the_one_it_came_from(
    tmp_path: Path, clock: HandClock
) -> None:
    store = opened(tmp_path, clock, messages=2)
    left = leave(store, seconds=3)
    for _ in range(2):
        leave(store, "u-3")
    comment = tmp_path / "comment.wav"
    record(comment, 1)
    by = Caller(number="200", name="Reception", user_id="u-1")
    assert store.send_on("u-1", left.message_id, ["u-2", "u-3"], by, comment) == ["u-3"]
    (copy,) = store.messages("u-2", Folder.INBOX)
    assert (copy.caller, copy.forwarded_by, copy.duration_seconds, copy.heard) == (CALLER, by, 3.0, False)
    said, recording = store.audio("u-2", copy.message_id)
    # One file on the disk until the last who has it lets it go.
    assert recording.stat().st_nlink == 2
    store.move("u-1", left.message_id, Folder.DELETED)
    store.empty_deleted("u-1")
    comment.unlink()
    assert (recording.stat().st_nlink, said.stat().st_nlink) == (1, 1)


@pytest.mark.parametrize("mailbox", ["", "..", "a/b", "x" * 65, "a\0b", "u-1\n"])
def test_a_name_that_is_none_never_reaches_the_disk(tmp_path: Path, clock: HandClock, mailbox: str) -> None:
    store = opened(tmp_path / "root", clock)
    with pytest.raises(BadMailbox):
        store.begin(mailbox, CALLER)
    with pytest.raises(BadMailbox):
        store.greeting("u-1", mailbox)
    assert [one.name for one in tmp_path.rglob("*")] == ["root"]


def test_asking_for_a_greeting_that_is_not_there_leaves_nothing_on_the_disk(tmp_path: Path, clock: HandClock) -> None:
    assert opened(tmp_path, clock).greeting("u-1", "name") is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_recording_becomes_no_message(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    draft = store.begin("u-1", CALLER)
    with pytest.raises(MediaError):
        store.keep(draft)
    draft.audio.write_bytes(b"RIFF....")
    with pytest.raises(MediaError):
        store.keep(draft)
    store.discard(draft)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_damage_costs_the_one_message_and_a_newer_version_is_left_alone(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    damaged, newer, kept = leave(store), leave(store), leave(store)
    folder = tmp_path / "u-1"
    (folder / f"{damaged.message_id}.json").write_bytes(b"{")
    text = newer.model_dump_json().replace('"schema_version":1', '"schema_version":2')
    (folder / f"{newer.message_id}.json").write_text(text)
    again = opened(tmp_path, clock)
    assert again.messages("u-1", Folder.INBOX) == [kept]
    assert (folder / f"{newer.message_id}.json").read_text() == text
    assert (folder / f"{newer.message_id}.wav").exists()


def test_what_was_said_before_a_kill_is_a_message_and_a_breath_is_none(tmp_path: Path, clock: HandClock) -> None:
    store = opened(tmp_path, clock)
    long, short, nothing = (store.begin("u-1", CALLER) for _ in range(3))
    record(long.audio, 5.0)
    record(short.audio, 0.5)
    assert nothing.audio.parent == long.audio.parent
    again = opened(tmp_path, clock)
    (message,) = again.messages("u-1", Folder.INBOX)
    assert (message.message_id, message.duration_seconds, message.caller) == (long.message_id, 5.0, CALLER)
    assert {one.name for one in (tmp_path / "u-1").iterdir()} == {
        f"{long.message_id}.wav",
        f"{long.message_id}.json",
    }


_LEAVES = """
import sys, wave
from pathlib import Path
from edge_agent.clock import SystemClock
from edge_agent.media.mailbox.message import Caller
from edge_agent.media.mailbox.store import MailboxStore
from edge_agent.tokens import SystemTokens

store = MailboxStore(Path(sys.argv[1]), SystemClock(), SystemTokens())
while True:
    draft = store.begin("u-1", Caller(number="200"))
    with wave.open(str(draft.audio), "wb") as file:
        file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
        file.writeframes(bytes(16000))
    print(store.keep(draft).message_id, flush=True)
"""


def test_what_an_engine_that_outlives_us_writes_on_is_a_message_as_far_as_it_is_now(
    tmp_path: Path, clock: HandClock
) -> None:
    draft = opened(tmp_path, clock).begin("u-1", CALLER)
    record(draft.audio, 3.0)
    # Its head says how much there is once the recording is over.
    whole = draft.audio.read_bytes()
    draft.audio.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:])
    with draft.audio.open("ab") as engine:
        (message,) = opened(tmp_path, clock).messages("u-1", Folder.INBOX)
        assert message.duration_seconds == 3.0
        engine.write(b"what is said later")
    assert draft.audio.read_bytes() == whole


def test_kill_9_loses_no_message_that_was_kept(tmp_path: Path, clock: HandClock) -> None:
    told = tmp_path / "told"
    with told.open("w") as output:
        process = subprocess.Popen([sys.executable, "-c", _LEAVES, str(tmp_path / "boxes")], stdout=output)
    eventually(lambda: len(told.read_text().splitlines()) >= 20)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = told.read_text().split()
    store = MailboxStore(tmp_path / "boxes", clock, SystemTokens(), MailboxLimits(messages=10_000))
    found = {one.message_id for one in store.messages("u-1", Folder.INBOX)}
    assert set(kept) <= found
    assert len(found) <= len(kept) + 1  # and perhaps one that was not told of any more
    for message_id in found:
        with wave.open(str(store.audio("u-1", message_id)[0])) as file:
            assert file.getnframes() == 8000


class Boxes(RuleBasedStateMachine):
    """Two mailboxes beside a dictionary of what they should hold."""

    left = Bundle("left")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = HandClock()
        self.store = opened(Path(self.folder.name), self.clock, messages=6)
        self.model: dict[tuple[str, str], tuple[Folder, bool]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(target=left, mailbox=st.sampled_from(["a", "b"]), urgent=st.booleans())
    def leave(self, mailbox: str, urgent: bool) -> Any:
        self.clock.advance(1)
        if sum(of == mailbox for of, _ in self.model) >= 6:
            with pytest.raises(MailboxFull):
                self.store.begin(mailbox, CALLER)
            return None
        message = leave(self.store, mailbox, 0.1, urgent=urgent)
        self.model[mailbox, message.message_id] = (Folder.INBOX, False)
        return mailbox, message.message_id

    @rule(which=left, folder=st.sampled_from(list(Folder)))
    def move(self, which: tuple[str, str] | None, folder: Folder) -> None:
        if which is not None and which in self.model:
            self.store.move(*which, folder)
            self.model[which] = (folder, True)

    @rule(which=left)
    def hear(self, which: tuple[str, str] | None) -> None:
        if which is not None and which in self.model:
            self.store.mark_heard(*which)
            self.model[which] = (self.model[which][0], True)

    @rule(mailbox=st.sampled_from(["a", "b"]))
    def empty(self, mailbox: str) -> None:
        self.store.empty_deleted(mailbox)
        self.model = {
            key: value for key, value in self.model.items() if key[0] != mailbox or value[0] is not Folder.DELETED
        }

    @rule(which=consumes(left))
    def reopen(self, which: object) -> None:
        del which
        self.store = opened(Path(self.folder.name), self.clock, messages=6)

    @invariant()
    def they_agree(self) -> None:
        found = {
            (mailbox, one.message_id): (folder, one.heard)
            for mailbox in ("a", "b")
            for folder in Folder
            for one in self.store.messages(mailbox, folder)
        }
        assert found == self.model


TestBoxes = Boxes.TestCase
TestBoxes.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
