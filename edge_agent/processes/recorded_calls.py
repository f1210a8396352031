"""What recording asks of the SIP process: who is in a call, a word for its record, an alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contract.sync.events import AlarmChanged
from edge_agent.ports import Reporter
from edge_agent.sip.proxy.calls import Calls

ALARM: Final = "call_not_relayed"
"""Apart from the alarm of the media process, which knows nothing of what never came to it."""


class RecordedCalls:
    """See `edge_agent.sip.relaying.recording.CallsTold`.

    Args:
        calls: those in progress; None: there are none yet.
        reporter: takes the alarm; None: nobody does yet.
    """

    def __init__(self, calls: Callable[[], Calls | None], reporter: Callable[[], Reporter | None]) -> None:
        self._calls, self._reporter = calls, reporter
        self._missing: str | None = None

    def talking(self, call_id: str) -> frozenset[str]:
        """See `CallsTold`."""
        calls = self._calls()
        return calls.users_in(call_id.encode()) if calls is not None else frozenset()

    def tell(self, call_id: str, sentence: str) -> None:
        """See `CallsTold`."""
        calls = self._calls()
        if calls is not None:
            calls.tell(call_id.encode(), sentence)

    def missed(self, why: str | None) -> None:
        """See `CallsTold`."""
        reporter = self._reporter()
        if why == self._missing or reporter is None:
            return
        self._missing = why
        text = f"a call is not recorded: {why}" if why else "over"
        reporter.report(AlarmChanged(alarm=ALARM, severity="warning", active=why is not None, text=text))
