"""Choosing among the final responses of a fork (RFC 3261 §16.7 steps 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.sip.message import Message

_CHALLENGES: Final = (401, 407)
_PREFERRED: Final = {401: 0, 407: 0, 415: 0, 420: 0, 484: 0, 486: 1}
"""What helps the caller to try again comes first, then what a person did."""
_ORDINARY: Final = 2
_POOR: Final = {404: 3, 480: 3, 487: 4, 408: 5}
"""What says least about whom the caller wanted."""


@dataclass(frozen=True, slots=True)
class BranchEnd:
    """How one branch ended.

    Args:
        status: its final status, or the one that stands for what happened (408 silence, 503 unreachable).
        response: what the branch sent; None when it sent nothing.
    """

    status: int
    response: Message | None = None


def best_of(finals: Sequence[BranchEnd]) -> BranchEnd:
    """The response that goes up: 6xx, else the lowest class, and in it the most telling.

    Args:
        finals: at least one, none of them 2xx, in the order in which they came.
    """
    return min(finals, key=_rank)


def _rank(final: BranchEnd) -> tuple[int, int]:
    status = final.status
    if status >= 600:
        return (0, 0)
    return (status // 100, _PREFERRED.get(status, _POOR.get(status, _ORDINARY)))


def gather_challenges(best: Message, finals: Sequence[BranchEnd]) -> None:
    """Put the challenges of every branch into the one 401 or 407 that goes up (§16.7 step 7)."""
    for final in finals:
        if final.response is None or final.response is best or final.status not in _CHALLENGES:
            continue
        for name, shown in ((b"www-authenticate", b"WWW-Authenticate"), (b"proxy-authenticate", b"Proxy-Authenticate")):
            for value in final.response.all(name):
                best.append(shown, value)
