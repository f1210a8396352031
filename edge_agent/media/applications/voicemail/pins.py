"""PINs of mailboxes: kept as a salted hash, and guarded against guessing.

A PIN has few digits, so that the hash alone protects little: what counts is that wrong attempts are few. They are
counted for each mailbox, whoever calls, in this process.
"""

import hashlib
import hmac
import itertools
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media.errors import MediaError
from edge_agent.tokens import Tokens

SHORTEST: Final = 4
LONGEST: Final = 16
WRONG_ATTEMPTS: Final = 5
LOCKED_SECONDS: Final = 900.0
_COST: Final = 2**13
"""Of scrypt: about 20 ms and 8 MB."""


NOBODYS: Final = f"scrypt:{'0' * 32}:"
"""What no PIN is right for, and takes as long to be found wrong as any."""


class PinLocked(MediaError):
    """There were too many wrong attempts at this mailbox."""


def is_fit(pin: str, extension: str) -> bool:
    """Whether a PIN may be one: 4 to 16 digits, not all the same, no run such as 1234, and not the extension."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST) or pin == extension:
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return not steps <= {0} and not steps <= {1} and not steps <= {9}


def hashed(pin: str, tokens: Tokens) -> str:
    """How a PIN is kept."""
    salt = tokens.token(16)
    return f"scrypt:{salt}:{_digest(pin, salt)}"


def is_right(pin: str, kept: str) -> bool:
    """Whether this is the PIN that was kept so."""
    kind, _, rest = kept.partition(":")
    salt, _, digest = rest.partition(":")
    return kind == "scrypt" and len(salt) == 32 and hmac.compare_digest(_digest(pin, salt), digest)


def _digest(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=32).hex()


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
