"""A network between two streams that loses, delays and reorders datagrams; by a seed, so that each run is the same."""

import heapq
import random


class ImpairedPath:
    """One direction; time is whatever the test says it is.

    Args:
        lost: share of the datagrams that never arrive.
        jitter_seconds: each is late by something between 0 and this, so that later ones overtake it.
        seed: which run.
    """

    def __init__(self, lost: float, jitter_seconds: float, seed: int) -> None:
        self._random = random.Random(seed)
        self._lost, self._jitter = lost, jitter_seconds
        self._waiting: list[tuple[float, int, bytes]] = []
        self.sent = self.reordered = self.dropped = 0
        self._newest = -1

    def send(self, data: bytes, now: float) -> float | None:
        """A datagram sets out; when it will have come; None: never."""
        self.sent += 1
        if self._random.random() < self._lost:
            self.dropped += 1
            return None
        at = now + self._random.uniform(0, self._jitter)
        heapq.heappush(self._waiting, (at, self.sent, data))
        return at

    def arrived(self, now: float) -> list[tuple[float, bytes]]:
        """When each of the datagrams that have come by now came, and it."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            at, number, data = heapq.heappop(self._waiting)
            self.reordered += number < self._newest
            self._newest = max(self._newest, number)
            found.append((at, data))
        return found
