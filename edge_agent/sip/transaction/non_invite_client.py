"""The non-INVITE client transaction (RFC 3261 §17.1.2).

Trying ──1xx──▶ Proceeding ──200-699──▶ Completed ──Timer K──▶ Terminated
Trying, Proceeding ──Timer F──▶ Terminated
"""

from typing import Final

from edge_agent.sip.message import Flow, Message
from edge_agent.sip.transaction.ports import ClientOwner, Home

TRYING: Final = 0
PROCEEDING: Final = 1
COMPLETED: Final = 2
TERMINATED: Final = 3

TIMER_E: Final = 0
TIMER_F: Final = 1
TIMER_K: Final = 2


class NonInviteClient:
    """Sends one request other than INVITE and ACK; made by `TransactionLayer.request`."""

    __slots__ = ("_data", "_home", "_interval", "flow", "key", "owner", "state")

    def __init__(self, home: Home, key: bytes, request: Message, flow: Flow, owner: ClientOwner | None) -> None:
        self._home = home
        self._data = bytes(request)
        self._interval = home.timers.t1
        self.key = key
        """The branch, with a suffix for CANCEL."""
        self.flow = flow
        self.owner = owner
        self.state = TRYING

    def start(self, now: float) -> None:
        """Send the request."""
        home = self._home
        home.send(self._data, self.flow)
        if not self.flow.reliable:
            home.wheel.add(self._interval, self, TIMER_E, now)
        home.wheel.add(home.timers.timeout, self, TIMER_F, now)

    @property
    def answered(self) -> bool:
        """Whether any response came."""
        return self.state != TRYING

    def move(self, request: Message, key: bytes, flow: Flow, now: float) -> None:
        """Begin again another way, with another branch; only before any response."""
        self._data, self.key, self.flow = bytes(request), key, flow
        self.start(now)

    def give_way(self, now: float) -> None:
        """Send nothing more to a peer that has been silent: another one got the request. A late answer still counts."""
        del now
        self._data = b""

    def respond(self, response: Message, now: float) -> None:
        """A response came from the network."""
        if self.state >= COMPLETED:
            return
        owner = self.owner
        if response.status < 200:
            self.state = PROCEEDING
        else:
            self.state = COMPLETED
            self._data = b""
            if self.flow.reliable:
                self._end()
            else:
                self._home.wheel.add(self._home.timers.t4, self, TIMER_K, now)
        if owner is not None:
            owner.response_arrived(self, response, now)

    def unreachable(self, now: float) -> None:
        """The transport failed."""
        if self.state < COMPLETED:
            owner = self.owner
            self._home.counts.unreachable += 1
            self._end()
            if owner is not None:
                owner.request_unreachable(self, now)

    def expired(self, kind: int, now: float) -> None:
        """Timers E, F and K."""
        home = self._home
        if kind == TIMER_E:
            if self.state < COMPLETED and self._data:
                home.counts.sent_again += 1
                home.send(self._data, self.flow)
                self._interval = home.timers.t2 if self.state == PROCEEDING else min(2 * self._interval, home.timers.t2)
                home.wheel.add(self._interval, self, TIMER_E, now)
        elif kind == TIMER_F:
            if self.state < COMPLETED:
                owner = self.owner
                home.counts.timed_out += 1
                self._end()
                if owner is not None:
                    owner.request_timed_out(self, now)
        elif self.state == COMPLETED:
            self._end()

    def _end(self) -> None:
        self.state = TERMINATED
        self.owner = None
        self._data = b""
        self._home.client_ended(self.key)
