"""Whose turn it is in hunt groups: kept at the edge, and over a restart."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Final

from contract.dialplan import CompiledPlan, SiteState
from edge_agent.sip.kept_rows import KeptRows

_ROTATION: Final = "hunt_rotation"
_IDLE_SINCE: Final = "idle_since"


class Hunting:
    """What `round_robin` and `longest_idle` go by.

    The tables are replaced, never changed: a call in progress goes on by those that it began with.

    Args:
        kept: keeps them.
        plan: whose hunt groups.
    """

    def __init__(self, kept: KeptRows, plan: CompiledPlan) -> None:
        self._kept = kept
        self._rotation: dict[str, int] = {}
        self._idle_since: dict[str, float] = {}
        self.configure(plan)

    def restore(self) -> None:
        """Take up what an earlier process kept."""
        with contextlib.suppress(ValueError):
            self._rotation = {key: int(value) for key, value in self._kept.load(_ROTATION).items()}
            self._idle_since = {key: float(value) for key, value in self._kept.load(_IDLE_SINCE).items()}

    def configure(self, plan: CompiledPlan) -> None:
        """Go by another plan."""
        groups = {group.group_id: group for group in plan.groups.values()}
        self._rotating = frozenset(key for key, group in groups.items() if group.strategy == "round_robin")
        self._members = frozenset(
            user_id for group in groups.values() if group.strategy == "longest_idle" for user_id in group.members
        )

    def state(self, state: SiteState) -> SiteState:
        """The state that a new call goes by."""
        if not self._rotating and not self._members:
            return state
        return replace(state, rotation=self._rotation, last_call_ended=self._idle_since)

    def came_to(self, group_ids: tuple[str, ...]) -> None:
        """A call came to these groups: the next one begins with the next member."""
        for group_id in group_ids:
            if group_id in self._rotating:
                count = self._rotation.get(group_id, 0) + 1
                self._rotation = {**self._rotation, group_id: count}
                self._kept.put(_ROTATION, group_id, str(count))

    def call_ended(self, user_ids: tuple[str | None, ...], at: float) -> None:
        """A call that was answered ended.

        Args:
            user_ids: who was in it.
            at: when; seconds since 1970.
        """
        for user_id in user_ids:
            if user_id in self._members and user_id is not None:
                self._idle_since = {**self._idle_since, user_id: at}
                self._kept.put(_IDLE_SINCE, user_id, repr(at))
