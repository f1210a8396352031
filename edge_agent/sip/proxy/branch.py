"""One branch of a fork: the client transaction towards one target, with its Timer C (RFC 3261 §16.6 step 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.sip.message import Message
from edge_agent.sip.proxy.media import PassingMedia
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.transaction import ClientTransaction, InvitingClient

if TYPE_CHECKING:
    from edge_agent.sip.proxy.forking import Fork


class TimerC:
    """Timer C of one branch; lets go of the branch when that is decided, since the wheel keeps this for minutes."""

    __slots__ = ("branch", "deadline")

    def __init__(self, branch: Branch) -> None:
        self.branch: Branch | None = branch
        self.deadline = 0.0

    def expired(self, kind: int, now: float) -> None:
        """It went off; whether it was set again meanwhile is seen by its deadline."""
        del kind
        if self.branch is not None and now >= self.deadline:
            self.branch.give_up(now)


class Branch:
    """One target's client transaction."""

    __slots__ = (
        "abandoned",
        "caller",
        "client",
        "fork",
        "given_up",
        "heard",
        "media",
        "others",
        "pending",
        "timer_c",
        "trusted",
        "user_id",
    )

    def __init__(self, fork: Fork, target: Target) -> None:
        self.fork = fork
        self.trusted = target.trusted
        self.others = target.others
        self.user_id = target.user_id
        self.caller: bytes | None = None
        """The caller's own From, where the request that was sent shows another."""
        self.client: ClientTransaction | None = None
        self.pending = True
        self.given_up = False
        """Cancelled by us because it rang too long, not by the caller."""
        self.heard = False
        """Whether any response came."""
        self.abandoned = False
        """Nobody waits for it any more; only a 2xx still counts."""
        self.timer_c: TimerC | None = None
        self.media: PassingMedia | None = None
        """What its descriptions go through; None: they pass as they are."""

    def decided(self) -> None:
        """Its final response came, or none will."""
        self.pending = False
        if self.timer_c is not None:
            self.timer_c.branch = None
            self.timer_c = None

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """See `ClientOwner`."""
        self.client = client
        if self.media is not None:
            self.media.answered(response)
        self.fork.response_arrived(self, response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        if self.media is not None:
            self.media.failed()
        self.fork.branch_failed(self, 408, now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        if self.media is not None:
            self.media.failed()
        self.fork.branch_failed(self, 503 if self.trusted else self.fork.unreachable_status, now)

    def expired(self, kind: int, now: float) -> None:
        """The time for a first response is over."""
        del kind
        if self.pending and not self.heard:
            self.fork.leave(self, 503, now)

    def give_up(self, now: float) -> None:
        """Stop ringing there."""
        self.given_up = True
        if isinstance(self.client, InvitingClient):
            self.client.cancel(now)
