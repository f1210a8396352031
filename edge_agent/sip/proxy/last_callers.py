"""Who called each user last: for calling back, and for blocking whom one does not want to hear again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contract.dialplan import CompiledPlan
from contract.snapshot import FeatureRule
from edge_agent.sip.kept_rows import KeptRows

_KIND: Final = "last_caller"
_WANTED_BY: Final = frozenset({"call_return", "block_last_caller"})
_LONGEST: Final = 64


class LastCallers:
    """What the last caller of each user showed; nothing, where the dial plan asks for it nowhere.

    It is written every few seconds, not with each call: nobody was promised it.

    Args:
        kept: keeps them.
        plan: whose features ask for it.
    """

    def __init__(self, kept: KeptRows, plan: CompiledPlan) -> None:
        self._kept = kept
        self.by_user: dict[str, str] = {}
        """By user id."""
        self._changed: set[str] = set()
        self.configure(plan)

    def restore(self) -> None:
        """Take up what an earlier process kept."""
        self.by_user.update(self._kept.load(_KIND))

    def configure(self, plan: CompiledPlan) -> None:
        """Go by another plan."""
        self._users = plan.users
        self._wanted = any(
            isinstance(one.rule, FeatureRule) and one.rule.feature in _WANTED_BY
            for candidates in plan.candidates.values()
            for one in candidates
        )

    def called(self, user_ids: Iterable[str], number: str) -> None:
        """A call goes to these users.

        Args:
            user_ids: whose phones are to ring.
            number: what the caller shows; empty: nothing, which leaves what was known before.
        """
        if not self._wanted or not number or len(number) > _LONGEST:
            return
        for user_id in user_ids:
            if self.by_user.get(user_id) != number:
                self.by_user[user_id] = number
                self._changed.add(user_id)

    def sweep(self) -> None:
        """Write what changed; to be called every few seconds, and at the end."""
        for user_id in self._changed:
            self._kept.put(_KIND, user_id, self.by_user[user_id])
        self._changed.clear()
        for user_id in [one for one in self.by_user if one not in self._users]:
            del self.by_user[user_id]
            self._kept.remove(_KIND, user_id)
