"""The non-INVITE server transaction (RFC 3261 §17.2.2).

Trying ──1xx──▶ Proceeding ──200-699──▶ Completed ──Timer J──▶ Terminated     (Trying ──200-699──▶ Completed)
"""

from typing import Any, Final

from edge_agent.sip.message import Flow, Message, response_bytes
from edge_agent.sip.transaction.ports import Home, ServerKey

TRYING: Final = 0
PROCEEDING: Final = 1
COMPLETED: Final = 2
TERMINATED: Final = 3

TIMER_J: Final = 0


class NonInviteServer:
    """Answers one request other than INVITE and ACK; made by `TransactionLayer.accept`."""

    __slots__ = ("_home", "_last", "_repeated_at", "flow", "key", "state", "tag", "user")

    def __init__(self, home: Home, key: ServerKey, flow: Flow, tag: bytes) -> None:
        self._home = home
        self._last = b""
        self._repeated_at = 0.0
        """When the request came again first."""
        self.key = key
        self.flow = flow
        """Where responses go."""
        self.tag = tag
        """The To tag for responses of our own."""
        self.state = TRYING
        self.user: Any = None
        """For the transaction user to find its own state by; to be cleared when the request is answered."""

    def respond(self, status: int, data: bytes, now: float) -> None:
        """Send a response; once a final one is sent, others are ignored.

        Args:
            status: its status code.
            data: the whole response.
            now: seconds, monotonic.
        """
        if self.state >= COMPLETED:
            return
        home = self._home
        self._last = data
        if status < 200:
            self.state = PROCEEDING
            home.send(data, self.flow)
            return
        self.state = COMPLETED
        home.counts.answers[status // 100] += 1
        home.send(data, self.flow)
        if self.flow.reliable:
            self._end()
        else:
            home.wheel.add(home.timers.linger, self, TIMER_J, now)

    def abandon(self) -> None:
        """End without a final response: the client's own time is up as well (RFC 4320 §4.2)."""
        if self.state < COMPLETED:
            self._end()

    def retransmitted(self, request: Message, now: float) -> None:
        """The request came again: repeat what was said last, if anything was.

        A client that still sends it when its Timer E has reached T2 gets a 100, and no sooner (RFC 4320 §4.1).
        """
        if self._last:
            self._home.send(self._last, self.flow)
        elif self.state == TRYING:
            timers = self._home.timers
            if not self._repeated_at:
                # T1 has passed already.
                self._repeated_at = now - timers.t1
            elif now - self._repeated_at >= timers.t2 - timers.t1:
                self.still_trying(request, now)

    def still_trying(self, request: Message, now: float) -> None:
        """Say that an answer will come, if nothing was said yet."""
        if self.state == TRYING:
            self.respond(100, response_bytes(request, 100), now)

    def acknowledged(self, now: float) -> bool:
        """Only INVITEs are acknowledged."""
        del now
        return False

    def expired(self, kind: int, now: float) -> None:
        """Timer J."""
        del kind, now
        if self.state == COMPLETED:
            self._end()

    def _end(self) -> None:
        self.state = TERMINATED
        self.user = None
        self._last = b""
        self._home.server_ended(self.key)
