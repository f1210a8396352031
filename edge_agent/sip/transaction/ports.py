"""What a transaction asks of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from edge_agent.sip.message import Flow, Message
from edge_agent.sip.transaction.counts import Counts
from edge_agent.sip.transaction.timers import Timers
from edge_agent.sip.transaction.wheel import TimerWheel

if TYPE_CHECKING:
    from edge_agent.sip.transaction.invite_client import InviteClient
    from edge_agent.sip.transaction.named_request import NamedRequest
    from edge_agent.sip.transaction.non_invite_client import NonInviteClient

    ClientTransaction: TypeAlias = "InviteClient | NonInviteClient | NamedRequest"

Send = Callable[[bytes, Flow], None]
"""Hands bytes to the transport; failure comes back later by `TransactionLayer.flow_failed`."""

ServerKey = tuple[bytes, ...]


class ClientOwner(Protocol):
    """Who sent a request and waits for what comes of it."""

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """A response, each provisional and final one once; for INVITE every 2xx, retransmissions too (RFC 6026)."""
        ...

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """No final response came in time (Timer B or F, or 64·T1 after a CANCEL)."""
        ...

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """The transport could not deliver the request (§8.1.3.1: to be treated as 503)."""
        ...


class Finder(Protocol):
    """Knows the hops of a name (RFC 3263); the transport is one."""

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        """Call `found` with numeric flows, best first; at once where they are known, never at once with none."""
        ...

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """This hop of the name did not answer or cannot take more: others come first for a while.

        Args:
            flow: the name.
            hop: which of its hops.
            now: monotonic.
            wished_seconds: how long a while, where the hop said so (Retry-After); None: it did not.
        """
        ...

    def answered(self, flow: Flow, hop: Flow) -> None:
        """This hop answered: what goes to the name next goes there too."""
        ...


class Home(Protocol):
    """What the machines need of the layer that they live in."""

    counts: Counts
    timers: Timers
    wheel: TimerWheel
    send: Send

    def client_ended(self, key: bytes) -> None:
        """Forget a client transaction."""
        ...

    def server_ended(self, key: ServerKey) -> None:
        """Forget a server transaction."""
        ...

    def send_cancel(self, invite: InviteClient, now: float) -> None:
        """Send the CANCEL of an INVITE that a provisional response has answered."""
        ...
