"""PINs that people type at telephones: which ones are fit, and how they are kept, by the portal and by the keys alike.

A PIN has few digits, so that the hash alone protects little: wrong attempts have to be few where it is asked for.
"""

import hashlib
import hmac
import itertools
from typing import Final

SHORTEST: Final = 4
LONGEST: Final = 16
NOBODYS: Final = f"scrypt:{'0' * 32}:"
"""What no PIN is right for, and takes as long to be found wrong as any."""
_COST: Final = 2**13
"""Of scrypt (RFC 7914): about 20 ms and 8 MB."""


def is_fit(pin: str, number: str) -> bool:
    """Whether a PIN may be one: 4 to 16 digits, not all the same, no run such as 1234.

    Args:
        pin: what was typed.
        number: its owner's extension, which it may not be.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST) or pin == number:
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return not steps <= {0} and not steps <= {1} and not steps <= {9}


def hashed(pin: str, salt: str) -> str:
    """How a PIN is kept.

    Args:
        pin: the digits.
        salt: 16 random bytes in hexadecimal.
    """
    return f"scrypt:{salt}:{_digest(pin, salt)}"


def is_right(pin: str, kept: str) -> bool:
    """Whether this is the PIN that was kept so; takes the same time for any."""
    kind, _, rest = kept.partition(":")
    salt, _, digest = rest.partition(":")
    return kind == "scrypt" and len(salt) == 32 and hmac.compare_digest(_digest(pin, salt), digest)


def _digest(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=32).hex()
