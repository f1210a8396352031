"""What decides where a fork goes on when a step of it has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge_agent.sip.message import Message

if TYPE_CHECKING:
    from edge_agent.sip.proxy.forking import Fork


class Policy(Protocol):
    """Asked when every target of a step failed."""

    def next_step(self, fork: Fork, status: int, reached: bool, now: float) -> bool:
        """Start another step with `fork.start`, or answer by `fork.answer`; False: the best response goes up.

        Args:
            fork: the request.
            status: the best of the final responses.
            reached: whether anything answered at all.
            now: seconds, monotonic.
        """
        ...

    def redirected(self, fork: Fork, response: Message, now: float) -> bool:
        """Go on where a 3xx points, with `fork.start`; False: it goes up as it is."""
        ...
