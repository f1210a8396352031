"""Agents as the queues of a site see them at work, and whose turn it is. Pure; an agent of several queues is one.

Every `now` is seconds on one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from contract.snapshot import CallQueue
from edge_agent.media.session import MediaSession

REST_SECONDS = 10.0
"""Who did not answer, or refused, is left alone for so long."""

Doing = Literal["idle", "ringing", "talking", "wrapping_up", "resting"]


@dataclass(frozen=True, slots=True)
class Talk:
    """A call of an agent.

    Args:
        queue_id: which queue it came by.
        session: the agent's own.
        room: the name of the mix that both are in.
        since: when it was answered.
    """

    queue_id: str
    session: MediaSession
    room: str
    since: float


@dataclass(slots=True)
class AgentAtWork:
    """What an agent does.

    Args:
        idle_since: when the last call from a queue ended, or the first was looked for.
        rung: how often it was this agent's turn.
    """

    idle_since: float
    ringing: bool = False
    talk: Talk | None = None
    wraps_up_until: float = 0.0
    rests_until: float = 0.0
    rung: int = 0
    last_rung: float = field(default=float("-inf"))

    def doing(self, now: float) -> Doing:
        """In one word."""
        if self.talk is not None:
            return "talking"
        if self.ringing:
            return "ringing"
        if self.wraps_up_until > now:
            return "wrapping_up"
        return "resting" if self.rests_until > now else "idle"

    def since(self, now: float) -> float:
        """Since when he does what he does."""
        match self.doing(now):
            case "talking":
                return self.idle_since if self.talk is None else self.talk.since
            case "ringing":
                return self.last_rung
            case "resting":
                return self.rests_until - REST_SECONDS
            case _:
                return self.idle_since

    @property
    def free_at(self) -> float:
        """When somebody who is not busy can be rung again."""
        return max(self.wraps_up_until, self.rests_until)


class Agents:
    """Everybody who was ever looked for."""

    def __init__(self) -> None:
        self._at_work: dict[str, AgentAtWork] = {}

    def of(self, user_id: str, now: float) -> AgentAtWork:
        """An agent."""
        return self._at_work.setdefault(user_id, AgentAtWork(now))

    def forget(self, there: Sequence[str]) -> None:
        """Keep only these users, and who is busy."""
        kept = frozenset(there)
        for user_id in [one for one in self._at_work if one not in kept]:
            if self._at_work[user_id].talk is None and not self._at_work[user_id].ringing:
                del self._at_work[user_id]

    def next(self, queue: CallQueue, ready: Sequence[str], now: float) -> list[str]:
        """Whose phones ring for the next caller; nobody: all are busy.

        Args:
            queue: its strategy counts.
            ready: agents who are logged in and do not pause, in the order of the queue's list.
        """
        known = {user_id: self.of(user_id, now) for user_id in ready}
        idle = [user_id for user_id in ready if known[user_id].doing(now) == "idle"]
        if not idle or queue.strategy == "ring_all":
            return idle
        if queue.strategy == "longest_idle":
            return [min(idle, key=lambda one: known[one].idle_since)]
        if queue.strategy == "skills":
            return [min(idle, key=lambda one: (-queue.skill_of(one), known[one].idle_since))]
        return [min(idle, key=lambda one: known[one].last_rung)]

    def next_free_at(self, ready: Sequence[str], now: float) -> float | None:
        """When the first of those will be idle who only wrap up or rest; None: there is nobody like that."""
        waiting = [self.of(user_id, now) for user_id in ready]
        times = [one.free_at for one in waiting if one.doing(now) in ("wrapping_up", "resting")]
        return min(times, default=None)
