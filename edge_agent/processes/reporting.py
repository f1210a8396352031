"""A process's way to the outbox: written by the process itself, so that it is safe before anything is answered."""

from pathlib import Path

from contract.sync.events import CallEnded, Happening
from edge_agent.clock import Clock
from edge_agent.ports import OpenCall
from edge_agent.processes.child import Bell
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import Tokens


class Reporting:
    """Implements `edge_agent.ports.Reporter` and `CallJournal`, and rings the agent for each event."""

    def __init__(self, state_dir: Path, bell: Bell, clock: Clock, tokens: Tokens) -> None:
        self._outbox = Outbox.open(state_dir / "outbox.db", clock, tokens)
        self._bell = bell

    def report(self, what: Happening) -> None:
        """Keep an event."""
        self._outbox.report(what)
        self._bell.ring()

    def opened(self, call: OpenCall) -> None:
        """Keep a call in progress."""
        self._outbox.opened(call)

    def closed(self, record: CallEnded) -> None:
        """End a call in its record."""
        self._outbox.closed(record)
        self._bell.ring()

    def close(self) -> None:
        """Release the file."""
        self._outbox.close()
