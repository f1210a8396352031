"""Wrong PINs are few: counted for each mailbox, whoever calls, in this process."""

from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.errors import MediaError

WRONG_ATTEMPTS: Final = 5
LOCKED_SECONDS: Final = 900.0


class PinLocked(MediaError):
    """There were too many wrong attempts at this mailbox."""


class Attempts:
    """Counts wrong attempts at each mailbox."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, int] = {}
        self._locked: dict[str, float] = {}

    def check(self, mailbox: str) -> None:
        """Before anybody tries.

        Raises:
            PinLocked: nobody may for a while.
        """
        until = self._locked.get(mailbox)
        if until is not None:
            if self._clock.monotonic() < until:
                raise PinLocked(PinLocked.__doc__)
            del self._locked[mailbox]

    def right(self, mailbox: str) -> None:
        """Somebody knew it."""
        self._wrong.pop(mailbox, None)

    def wrong(self, mailbox: str) -> None:
        """Somebody did not."""
        count = self._wrong[mailbox] = self._wrong.get(mailbox, 0) + 1
        if count >= WRONG_ATTEMPTS:
            del self._wrong[mailbox]
            self._locked[mailbox] = self._clock.monotonic() + LOCKED_SECONDS
