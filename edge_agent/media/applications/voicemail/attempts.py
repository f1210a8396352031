"""Wrong PINs are few: counted for each mailbox, or whatever else asks for one, in this process."""

from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.errors import MediaError

WRONG_ATTEMPTS: Final = 5
LOCKED_SECONDS: Final = 900.0
MOST_COUNTED: Final = 10_000
"""Beyond it all that is not locked begins anew, so that many callers do not fill the memory."""


class PinLocked(MediaError):
    """There were too many wrong attempts at this mailbox."""


class Attempts:
    """Counts wrong attempts at each mailbox; after `most` of them it is locked."""

    def __init__(self, clock: Clock, most: int = WRONG_ATTEMPTS) -> None:
        self._clock, self._most = clock, most
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
        if len(self._wrong) >= MOST_COUNTED:
            self._wrong.clear()
        count = self._wrong[mailbox] = self._wrong.get(mailbox, 0) + 1
        if count >= self._most:
            del self._wrong[mailbox]
            self._locked[mailbox] = self._clock.monotonic() + LOCKED_SECONDS
