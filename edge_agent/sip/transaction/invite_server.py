"""The INVITE server transaction (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1).

Proceeding ──2xx──▶ Accepted ──Timer L──▶ Terminated
    └──300-699──▶ Completed ──ACK──▶ Confirmed ──Timer I──▶ Terminated     (Completed ──Timer H──▶ Terminated)
"""

from typing import Any, Final

from edge_agent.sip.message import Flow, Message
from edge_agent.sip.transaction.ports import Home, ServerKey

PROCEEDING: Final = 0
COMPLETED: Final = 1
CONFIRMED: Final = 2
ACCEPTED: Final = 3
TERMINATED: Final = 4

TIMER_G: Final = 0
TIMER_H: Final = 1
TIMER_I: Final = 2
TIMER_L: Final = 3


class InviteServer:
    """Answers one INVITE; made by `TransactionLayer.accept`."""

    __slots__ = ("_home", "_interval", "_last", "flow", "key", "state", "tag", "user")

    def __init__(self, home: Home, key: ServerKey, flow: Flow, tag: bytes) -> None:
        self._home = home
        self._interval = 0.0
        self._last = b""
        self.key = key
        self.flow = flow
        """Where responses go."""
        self.tag = tag
        """The To tag for responses of our own."""
        self.state = PROCEEDING
        self.user: Any = None
        """For the transaction user to find its own state by; to be cleared when the call is decided."""

    def respond(self, status: int, data: bytes, now: float) -> None:
        """Send a response; in Accepted, further 2xx only; once a final one is sent, others are ignored.

        Args:
            status: its status code.
            data: the whole response.
            now: seconds, monotonic.
        """
        home = self._home
        if self.state == PROCEEDING:
            if status >= 200:
                home.counts.answers[status // 100] += 1
            if status < 200:
                self._last = data
            elif status < 300:
                self._last = b""
                self.state = ACCEPTED
                home.wheel.add(home.timers.linger, self, TIMER_L, now)
            else:
                self._last = data
                self.state = COMPLETED
                if not self.flow.reliable:
                    self._interval = home.timers.t1
                    home.wheel.add(self._interval, self, TIMER_G, now)
                home.wheel.add(home.timers.timeout, self, TIMER_H, now)
            home.send(data, self.flow)
        elif self.state == ACCEPTED and 200 <= status < 300:
            home.send(data, self.flow)

    def retransmitted(self, request: Message, now: float) -> None:
        """The INVITE came again: repeat what was said last."""
        del request, now
        if self._last and self.state in (PROCEEDING, COMPLETED):
            self._home.send(self._last, self.flow)

    def acknowledged(self, now: float) -> bool:
        """An ACK came; True when it was for a final response other than 2xx and ends here."""
        if self.state == COMPLETED:
            self.state = CONFIRMED
            self._last = b""
            if self.flow.reliable:
                self._end()
            else:
                self._home.wheel.add(self._home.timers.t4, self, TIMER_I, now)
            return True
        return self.state == CONFIRMED

    def expired(self, kind: int, now: float) -> None:
        """Timers G, H, I and L."""
        if kind == TIMER_G:
            if self.state == COMPLETED:
                home = self._home
                home.counts.sent_again += 1
                home.send(self._last, self.flow)
                self._interval = min(2 * self._interval, home.timers.t2)
                home.wheel.add(self._interval, self, TIMER_G, now)
        elif kind == TIMER_H:
            if self.state == COMPLETED:
                self._end()
        elif self.state in (CONFIRMED, ACCEPTED):
            self._end()

    def _end(self) -> None:
        self.state = TERMINATED
        self.user = None
        self._last = b""
        self._home.server_ended(self.key)
