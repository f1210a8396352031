"""What the transactions of an endpoint did since its start, in a bounded number of figures."""

from __future__ import annotations

from typing import Final

METHODS: Final = (
    b"INVITE",
    b"ACK",
    b"BYE",
    b"CANCEL",
    b"REGISTER",
    b"OPTIONS",
    b"SUBSCRIBE",
    b"NOTIFY",
    b"PUBLISH",
    b"MESSAGE",
    b"INFO",
    b"REFER",
    b"UPDATE",
    b"PRACK",
)
"""Told apart; every other method counts as one."""
_OTHER: Final = b"OTHER"


class Counts:
    """Counters of one transaction layer; they only grow."""

    __slots__ = ("answers", "heard_again", "requests", "sent_again", "timed_out", "unreachable")

    def __init__(self) -> None:
        self.requests: dict[bytes, int] = dict.fromkeys((*METHODS, _OTHER), 0)
        """Requests that made a new transaction or were answered without one, by method."""
        self.answers = [0] * 7
        """Final responses of ours, repetitions not counted, by the first digit of their status."""
        self.heard_again = 0
        """Requests that a peer sent again."""
        self.sent_again = 0
        """Requests and responses that we sent again."""
        self.timed_out = 0
        """Requests of ours without a final response."""
        self.unreachable = 0
        """Requests of ours that could not be delivered."""

    def arrived(self, method: bytes) -> None:
        """A request that belongs to no transaction yet."""
        requests = self.requests
        if method in requests:
            requests[method] += 1
        else:
            requests[_OTHER] += 1

    def figures(self) -> dict[str, int]:
        """All of them by name, those that never happened left out."""
        found = {f"requests.{method.decode()}": count for method, count in self.requests.items()}
        found |= {f"answers.{digit}xx": self.answers[digit] for digit in range(2, 7)}
        found |= {
            "retransmissions.received": self.heard_again,
            "retransmissions.sent": self.sent_again,
            "transactions.timed_out": self.timed_out,
            "transactions.unreachable": self.unreachable,
        }
        return {name: count for name, count in found.items() if count}
