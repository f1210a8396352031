"""Which piece of a blob an edge gets when: one at a time, and no faster than its share. No clock, no I/O.

Every `now` is seconds on one monotonic clock.
"""

from typing import Final

from contract.sync.messages import BlobPiece, BlobRequest

_LEAST_BYTES: Final = 16 * 1024
"""What the smallest answer counts as: a refusal costs a question, too."""


class Pieces:
    """The requests of one connection.

    Args:
        bytes_per_second: what the edge may have.
    """

    __slots__ = ("_after", "_bytes_per_second", "_request", "_waits")

    def __init__(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._after = 0.0
        self._request: BlobRequest | None = None
        self._waits = False

    @property
    def deadline(self) -> float | None:
        """When `due` wants to be called; None while nothing waits for its turn."""
        return self._after if self._waits else None

    def take(self, request: BlobRequest, now: float) -> bool:
        """A request came; whether it may be: the one before it has to be answered."""
        if self._request is not None:
            return False
        self._request, self._waits = request, True
        self._after = max(self._after, now)
        return True

    def due(self, now: float) -> BlobRequest | None:
        """The request whose turn has come."""
        if not self._waits or now < self._after:
            return None
        self._waits = False
        return self._request

    def answered(self, piece: BlobPiece, now: float) -> None:
        """It has been answered; the next one waits as long as this one costs."""
        self._request = None
        self._after = now + max(len(piece.data), _LEAST_BYTES) / self._bytes_per_second
