"""Recordings of messages, and of calls and conferences, on their way to the cloud: the sender, and whom it asks."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from contract.snapshot import Snapshot
from contract.values import Digest
from edge_agent import call_recording_ledger, mailbox_ledger
from edge_agent.call_recording_ledger import CallRecordingLedger
from edge_agent.clock import Clock
from edge_agent.mailbox_ledger import MailboxLedger
from edge_agent.recorded_sounds import RecordedSounds
from edge_agent.sync.recording_sender import Recordings, RecordingSender, WaitingRecording
from edge_agent.tokens import Tokens

_BEHIND: Final = "behind"
"""Noted while the cloud does not take all that a ledger is of: that is to be told once it does."""


class SiteRecordings:
    """Puts the sender together.

    Args:
        folder: the state folder.
        look_again: called when the ledger of mailboxes says that everything is to be told again.
        clock, tokens: for waits.
        look_again_for_calls: the same of recordings of calls and conferences.
    """

    def __init__(
        self,
        folder: Path,
        look_again: Callable[[], None],
        clock: Clock,
        tokens: Tokens,
        look_again_for_calls: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = MailboxLedger(folder / mailbox_ledger.FILE)
        self._of_calls = CallRecordingLedger(folder / call_recording_ledger.FILE, RecordedSounds(folder, tokens).of)
        self._messages, self._calls = _Source(self._ledger), _Source(self._of_calls)
        self.sender = RecordingSender(_InTurn(self._messages, self._calls), clock, tokens)
        self.sender.on_hub = lambda takes: _hub(self._ledger, takes, look_again)
        self.sender.on_hub_for_calls = lambda takes, takes_all: self._hub_for_calls(
            takes, takes_all, look_again_for_calls
        )

    def runs(self, snapshot: Snapshot | None) -> None:
        """Go by what this snapshot says of recordings."""
        self._messages.allowed = snapshot is not None and snapshot.site.voicemail.recordings_leave
        self._calls.allowed = snapshot is not None and snapshot.site.recording.upload
        self.sender.allow(allowed=self._messages.allowed or self._calls.allowed)

    def close(self) -> None:
        """Release the files."""
        self._ledger.close()
        self._of_calls.close()

    def _hub_for_calls(self, takes: bool, takes_all: bool, look_again: Callable[[], None]) -> None:
        self._calls.taken = takes
        _hub(self._of_calls, takes_all, look_again)


class _Source:
    """Recordings of one kind.

    Args:
        recordings: those that wait.
    """

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.allowed = True
        """The site lets them leave."""
        self.taken = True
        """The hub takes them."""


class _InTurn:
    """Several kinds of recordings as one: those of a kind wait while one before it has any."""

    def __init__(self, *sources: _Source) -> None:
        self._sources = sources

    def waiting(self, beside: Collection[Digest]) -> WaitingRecording | None:
        """The next one."""
        for source in self._sources:
            if source.allowed and source.taken and (found := source.recordings.waiting(beside)) is not None:
                return found
        return None

    def sent(self, digest: Digest) -> None:
        """The cloud has it."""
        for source in self._sources:
            source.recordings.sent(digest)


def _hub(ledger: MailboxLedger | CallRecordingLedger, takes: bool, look_again: Callable[[], None]) -> None:
    behind = ledger.noted(_BEHIND) == "yes"
    if takes and behind:
        ledger.tell_again()
        look_again()
    if takes == behind:
        ledger.note(_BEHIND, "no" if takes else "yes")
