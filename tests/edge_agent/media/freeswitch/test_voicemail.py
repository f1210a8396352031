"""A mailbox on calls of FreeSWITCH: recorded conversations are spoken again, its side word for word."""

import re
import wave
from pathlib import Path

import pytest

from edge_agent.media.applications.voicemail import Mailbox, Voicemail, VoicemailConfig
from edge_agent.media.mailbox.message import Folder
from edge_agent.media.mailbox.store import MailboxLimits, MailboxStore
from edge_agent.media.speech import Languages
from edge_agent.tokens import SystemTokens
from tests.edge_agent.media.freeswitch.test_listener import freeswitch, listening, what
from tests.support import esl_recordings
from tests.support.hand_clock import HandClock

_RECORDED = re.compile(rb"execute-app-name: record\n[\s\S]*?execute-app-arg: (\S+)")
SECONDS = 4
BOXES = {f"user-{n}": Mailbox(f"user-{n}", n, n) for n in ("200", "201", "202")}


class Mailboxes:
    """Those of three users, on the disk, and FreeSWITCH, which records four seconds whenever it is told to."""

    def __init__(self, folder: Path) -> None:
        self.store = MailboxStore(folder, HandClock(), SystemTokens(), MailboxLimits())
        config = VoicemailConfig(BOXES, lists={"70": ("user-201", "user-202")})
        self._application = Voicemail(
            self.store, Languages(), lambda: config, lambda _: None, HandClock(), SystemTokens()
        )

    async def spoken_again(self, name: str) -> None:
        """Speak a recording again, and see that nothing else is asked."""
        async with listening({"voicemail": self._application}) as (_, port), freeswitch(port) as peer:
            for frame in esl_recordings.frames(name):
                if frame.from_freeswitch:
                    peer.say(frame.data)
                    continue
                command = await peer.command(frame.data)
                assert what(command) == what(frame.data)
                if recorded := _RECORDED.search(command):
                    _record(Path(recorded[1].decode()))
            assert await peer.rest() == []


def _record(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x10\x27\xf0\xd8" * (8000 * SECONDS // 2))


@pytest.fixture
def mailboxes(tmp_path: Path) -> Mailboxes:
    return Mailboxes(tmp_path)


async def test_a_message_that_a_caller_left_is_heard_by_its_owner_and_deleted(mailboxes: Mailboxes) -> None:
    await mailboxes.spoken_again("62-message-left")
    (message,) = mailboxes.store.messages("user-201", Folder.INBOX)
    assert (message.caller.number, message.duration_seconds, message.heard) == ("200", SECONDS, False)
    await mailboxes.spoken_again("63-message-heard")
    (message,) = mailboxes.store.messages("user-201", Folder.DELETED)
    assert message.heard


async def test_a_message_is_spoken_to_everybody_on_a_list(mailboxes: Mailboxes) -> None:
    await mailboxes.spoken_again("64-message-recorded-for-a-list")
    for user_id in ("user-201", "user-202"):
        (message,) = mailboxes.store.messages(user_id, Folder.INBOX)
        assert message.duration_seconds == SECONDS
    assert mailboxes.store.messages("user-200", Folder.INBOX) == []
