"""PINs that people press on a telephone: which are fit, and how they are kept, at the edge and in the cloud.

A PIN has few digits, so that a hash alone protects little: whoever asks for one has to count wrong attempts.
"""

import hashlib
import hmac
import itertools
from typing import Final

PIN: Final = "voicemail_pin"
"""Kind of the site state record that holds a user's."""
SHORTEST: Final = 4
LONGEST: Final = 16
NOBODYS: Final = f"scrypt:{'0' * 32}:"
"""What no PIN is right for, and takes as long to be found wrong as any."""
_SALT_CHARACTERS: Final = 32
_COST: Final = 2**13
"""Of scrypt: about 20 ms and 8 MB."""


def is_fit(pin: str, extension: str) -> bool:
    """Whether a PIN may be one: 4 to 16 digits, not all the same, no run such as 1234, and not the extension."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST) or pin == extension:
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return not steps <= {0} and not steps <= {1} and not steps <= {9}


def hashed(pin: str, salt: str) -> str:
    """How a PIN is kept.

    Args:
        pin: fit.
        salt: 32 characters that nobody can guess.
    """
    return f"scrypt:{salt}:{_digest(pin, salt)}"


def is_right(pin: str, kept: str) -> bool:
    """Whether this is the PIN that was kept so."""
    kind, _, rest = kept.partition(":")
    salt, _, digest = rest.partition(":")
    right = kind == "scrypt" and len(salt) == _SALT_CHARACTERS
    return right and hmac.compare_digest(_digest(pin, salt), digest)


def _digest(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=32).hex()
