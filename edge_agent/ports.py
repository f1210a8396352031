"""The few protocols by which subsystems reach what they do not own; the composition root connects them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contract.sync.events import CallEnded, Happening


class Reporter(Protocol):
    """Where a subsystem reports what happened at the site, for the cloud to know."""

    def report(self, what: Happening) -> None:
        """Kept durably (safe against kill -9) when this returns; sent whenever the channel allows."""
        ...


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call in progress, as far as its record is known; what a CDR is closed from if the process dies."""

    call_id: str
    sip_call_id: str
    caller: str
    callee: str
    caller_user_id: str | None
    callee_user_id: str | None
    started_at: datetime
    answered_at: datetime | None = None
    reasons: tuple[str, ...] = ()


class CallJournal(Protocol):
    """Calls in progress, kept durably, so that each ends in exactly one record."""

    def opened(self, call: OpenCall) -> None:
        """A call began, or became known better (answered): the newest state of its `call_id`."""
        ...

    def closed(self, record: CallEnded) -> None:
        """The call is over: its open entry goes and its record is reported, both or neither."""
        ...
