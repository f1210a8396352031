"""A request to a name: one client transaction for each hop until one of them answers (RFC 3263 §4.3).

Looking ──found──▶ Trying ──503, unreachable, silence──▶ Trying (the next hop) … ──answer, or no hop left──▶ Decided

Every hop gets the request under a branch of its own. To its owner all of them are one client: this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from edge_agent.sip.message import Flow, Message, retry_after_seconds
from edge_agent.sip.transaction.invite_client import InviteClient
from edge_agent.sip.transaction.ports import ClientOwner, Finder
from edge_agent.sip.transaction.wheel import TimerWheel

if TYPE_CHECKING:
    from edge_agent.sip.transaction.ports import ClientTransaction

ATTEMPTS: Final = 8
"""Hops that one request is tried at."""
SILENT_SECONDS: Final = 3.0
"""A hop that left a datagram and its three retransmissions unanswered for so long is given up, if there is another."""

OnHop = Callable[[Message, Flow], None]
"""Completes the request for the way that it goes, such as by Record-Route."""


class NamedHome(Protocol):
    """What it asks of its layer."""

    wheel: TimerWheel
    finder: Finder | None

    def request(
        self,
        request: Message,
        flow: Flow,
        owner: ClientOwner | None,
        now: float,
        loop_mark: bytes = b"",
        on_hop: OnHop | None = None,
    ) -> ClientTransaction:
        """Send a request in a new client transaction."""
        ...


class NamedRequest:
    """One request to a name; made by `TransactionLayer.request`."""

    __slots__ = (
        "_attempt",
        "_cancelled",
        "_client",
        "_decided",
        "_finder",
        "_home",
        "_hops",
        "_loop_mark",
        "_named",
        "_on_hop",
        "_owner",
        "_request",
        "_responded",
        "flow",
    )

    def __init__(
        self,
        home: NamedHome,
        finder: Finder,
        request: Message,
        flow: Flow,
        owner: ClientOwner | None,
        loop_mark: bytes,
        on_hop: OnHop | None,
    ) -> None:
        self._home = home
        self._finder = finder
        self._request = request
        self._named = flow
        self._owner = owner
        self._loop_mark = loop_mark
        self._on_hop = on_hop
        self._hops: list[Flow] = []
        self._client: ClientTransaction | None = None
        self._attempt = 0
        self._cancelled = False
        self._decided = False
        self._responded = False
        """Whether this hop sent any response."""
        self.flow = flow
        """The hop that it went to last; before that, the name."""

    def start(self, now: float) -> None:
        """Look the name up, and go."""
        self._finder.find(self._named, self._found, now)

    def cancel(self, now: float, reason: bytes = b"") -> None:
        """Take it back, if it is an INVITE (§9.1); nothing further is tried in any case."""
        if self._cancelled or self._decided:
            return
        self._cancelled = True
        self._hops.clear()
        if isinstance(self._client, InviteClient):
            self._client.cancel(now, reason)
        elif self._client is None:
            self._timed_out(now)

    def _found(self, hops: tuple[Flow, ...], now: float) -> None:
        if self._decided:
            return
        self._hops = list(hops[:ATTEMPTS])
        if not self._go_on(now):
            self._unreachable(now)

    def _go_on(self, now: float) -> bool:
        """Try the next hop; False: there is none."""
        if self._cancelled or not self._hops:
            return False
        hop = self._hops.pop(0)
        request = self._request.copy()
        if self._on_hop is not None:
            self._on_hop(request, hop)
        self.flow = hop
        self._responded = False
        self._attempt += 1
        self._client = self._home.request(request, hop, self, now, self._loop_mark)
        if self._hops and not hop.reliable:
            self._home.wheel.add(SILENT_SECONDS, self, self._attempt, now)
        return True

    def expired(self, kind: int, now: float) -> None:
        """This hop was silent for too long."""
        client = self._client
        if kind != self._attempt or self._responded or self._decided or client is None:
            return
        self._finder.failed(self._named, self.flow, now)
        if self._go_on(now) and not isinstance(client, NamedRequest):
            client.give_way(now)

    # -- see `ClientOwner`

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """One of the hops answered."""
        status, owner = response.status, self._owner
        if client is not self._client:
            self._late(client, response, now)
            return
        if self._decided and (status >= 300 or not isinstance(client, InviteClient)):
            # Another hop, which had been given up, was faster.
            return
        if not self._responded:
            self._responded = True
            if status != 503:
                self._finder.answered(self._named, self.flow)
        if status == 503:
            self._finder.failed(self._named, self.flow, now, retry_after_seconds(response))
            if self._go_on(now):
                return
        if status >= 200:
            self._decided = True
            self._hops.clear()
        if owner is not None:
            owner.response_arrived(self, response, now)

    def _late(self, client: ClientTransaction, response: Message, now: float) -> None:
        """A hop that had been given up answered: of an INVITE every 2xx counts, of others the first final response."""
        invite = isinstance(client, InviteClient)
        if response.status < 200 or self._owner is None:
            return
        if response.status >= 300 if invite else self._decided:
            return
        self._decided = True
        self._hops.clear()
        if isinstance(self._client, InviteClient):
            self._client.cancel(now)
        self._owner.response_arrived(self, response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """A hop never answered; nobody waits for one that was given up."""
        if client is not self._client or self._decided:
            return
        if not self._responded:
            self._finder.failed(self._named, self.flow, now)
            if self._go_on(now):
                return
        self._timed_out(now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """A hop cannot be reached."""
        if client is not self._client or self._decided:
            return
        self._finder.failed(self._named, self.flow, now)
        if not self._go_on(now):
            self._unreachable(now)

    def _timed_out(self, now: float) -> None:
        self._decided = True
        if self._owner is not None:
            self._owner.request_timed_out(self, now)

    def _unreachable(self, now: float) -> None:
        self._decided = True
        if self._owner is not None:
            self._owner.request_unreachable(self, now)
