"""The one source of randomness and identity in the cloud."""

import secrets
from typing import Protocol
from uuid import UUID

from cloud.clock import Clock


class Tokens(Protocol):
    """Where ids and secrets come from; tests count them up."""

    def id(self) -> UUID:
        """A new opaque id, later ids sorting after earlier ones."""
        ...

    def secret(self, size: int = 32) -> bytes:
        """`size` unguessable bytes."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class SystemTokens:
    """The operating system's randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def id(self) -> UUID:
        """A UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then randomness."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        value = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
        return UUID(int=value)

    def secret(self, size: int = 32) -> bytes:
        return secrets.token_bytes(size)

    def fraction(self) -> float:
        return secrets.randbelow(1 << 53) / (1 << 53)
