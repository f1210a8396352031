"""The one source of randomness and identity: branches, tags, nonces, Call-IDs, ids."""

import secrets
from typing import Protocol


class Tokens(Protocol):
    """Where unguessable names come from; tests count them up."""

    def token(self, size: int = 16) -> str:
        """`size` random bytes as lower-case hexadecimal."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class SystemTokens:
    """The operating system's randomness."""

    def token(self, size: int = 16) -> str:
        return secrets.token_hex(size)

    def fraction(self) -> float:
        return secrets.randbelow(1 << 53) / (1 << 53)
