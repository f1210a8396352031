"""Whether more arrives than can be handled: seen by the queue, before anybody's retransmissions make it worse.

The transport reads a bounded number of datagrams at a time. A full batch means that more was waiting; nothing but full
batches for a while means that the queue stands. Then new dialogs are turned away (503 with Retry-After costs a tenth of
a call), while what is in progress, registrations and emergencies go on.
"""

from __future__ import annotations

from typing import Final

from contract.sync.events import AlarmChanged
from edge_agent.ports import Reporter
from edge_agent.sip.config import OverloadRules

ALARM: Final = "sip_overload"
_STREAM_READ: Final = 4
"""A batch no longer than this may be a stream's, which says nothing about the queue of datagrams."""
_NEVER: Final = float("-inf")


class Overload:
    """Watches the queue.

    Args:
        rules: when the queue stands.
        reporter: told when shedding begins and ends.
    """

    def __init__(self, rules: OverloadRules, reporter: Reporter) -> None:
        self.rules = rules
        self.shedding = False
        """Whether new dialogs are to be turned away now."""
        self.by_strangers = False
        """Whether most of what arrives meanwhile is from addresses where nobody ever proved anything: for a flood
        those who proved themselves are not turned away."""
        self._reporter = reporter
        self._since = _NEVER
        self._last_full = _NEVER
        self._turned_away = 0

    def batch_ended(self, count: int, now: float, strange: int = 0) -> None:
        """So many messages were read at once, so many of them, counted while shedding, from strangers."""
        rules = self.rules
        if self.shedding and count > _STREAM_READ:
            self.by_strangers = 2 * strange > count
        if count >= rules.full_batch:
            if self._since == _NEVER:
                self._since = now
            self._last_full = now
            if now - self._since >= rules.standing_seconds and not self.shedding:
                self._shed(True)
        elif count > _STREAM_READ or now - self._last_full > rules.standing_seconds:
            self._since = _NEVER
            if self.shedding and now - self._last_full > rules.release_seconds:
                self._shed(False)

    def retry_after(self) -> bytes:
        """Seconds after which the next who is turned away may come again; spread, so that not all come at once."""
        self._turned_away += 1
        first, last = self.rules.retry_after_seconds
        return b"%d" % (first + self._turned_away % (last - first + 1))

    def _shed(self, on: bool) -> None:
        self.shedding, self.by_strangers = on, False
        text = (
            "More calls arrive than can be handled; new ones are turned away." if on else "Every call is taken again."
        )
        self._reporter.report(AlarmChanged(alarm=ALARM, severity="warning", active=on, text=text))
