"""Calls that applications place: to the phones of users of the site."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edge_agent.media.errors import MediaError
from edge_agent.media.session import MediaSession
from edge_agent.ports import Transfer

Transfers = Callable[[Transfer, Callable[[int], None]], None]
"""Takes a transfer, and what takes the status that came of it."""


class NotReached(MediaError):
    """Who was rung did not answer; `status` is the SIP status that came of it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not reached: {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Ringing:
    """How a user's phones ring.

    Args:
        username: whose phones; for `find_me` what its user would dial, for `call_back` what leads to who wants it.
        number: that they show, and that calls back; digits.
        name: shown beside it.
        how: `ring`; `page`, so that they answer by themselves and nobody in a call is disturbed; or `urgent`, that also
            while somebody wants no calls; or `find_me`, a number beyond the site; or `call_back`, who asked a queue for
            it, also beyond the site.
        transfers: takes that whoever answered wants the other end of the call sent elsewhere, and what to tell him of
            what becomes of it; `CallRefused` refuses that, and so does None.
        whose: for `find_me`, the id of the user who is looked for; for `call_back`, of the queue.
    """

    username: str
    number: str
    name: str = ""
    how: Literal["ring", "page", "urgent", "find_me", "call_back"] = "ring"
    whose: str = ""
    transfers: Transfers | None = field(default=None, compare=False)


class PhoneCaller(Protocol):
    """Rings phones. Cancelling the task that waits stops them."""

    @property
    def can_ring(self) -> bool:
        """Whether calls can be placed at all: by the embedded engine, once it is configured."""
        ...

    async def ring(self, wanted: Ringing) -> MediaSession:
        """Ring every phone of a user, and nothing else, wherever he has calls sent.

        Returns:
            The call, once somebody answered; whoever asked for it hangs it up.

        Raises:
            NotReached: nobody did.
        """
        ...
