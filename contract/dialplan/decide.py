"""decide(plan, state, call, outcomes, at): the next step of a call, and the reasons that led to it.

Pure: no clock, no I/O. The edge keeps a `Walk` for each call and tells it how each step ended; the cloud's simulator
walks the same way and shows the same reasons.
"""

from collections.abc import Sequence
from datetime import datetime

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.route import Route, phrase_of
from contract.dialplan.steps import Call, Decision, Outcome, Reject, SiteState, Step


class Walk:
    """One call on its way through the dial plan, which goes on from where it stands.

    Args:
        plan, state, call, at: as for `decide`; they must not change meanwhile.
    """

    __slots__ = ("_route", "_way", "decision")

    def __init__(self, plan: CompiledPlan, state: SiteState, call: Call, at: datetime) -> None:
        self._route = Route(plan, state, call, at)
        self._way = self._route.walk()
        self.decision = self._step(None)
        """The step that is to be carried out now."""

    def after(self, outcome: Outcome) -> Decision:
        """The next step, once the last one ended so; a `Reject` stays what it is."""
        if not isinstance(self.decision.step, Reject):
            self._route.reasons.clear()
            self._route.hunted.clear()
            self.decision = self._step(outcome)
        return self.decision

    def _step(self, outcome: Outcome | None) -> Decision:
        route = self._route
        step: Step
        try:
            step = next(self._way) if outcome is None else self._way.send(outcome)
        except StopIteration as end:
            status: int = end.value
            step = Reject(status, phrase_of(status))
        return Decision(step, tuple(route.reasons), tuple(route.hunted))


def decide(plan: CompiledPlan, state: SiteState, call: Call, outcomes: Sequence[Outcome], at: datetime) -> Decision:
    """What to do with a call now.

    Args:
        plan: the compiled dial plan of the site.
        state: what users changed at the site.
        call: who dialled what.
        outcomes: how the earlier steps of this call ended, oldest first; empty for a new call. They must be of the
            same plan, state and moment: the way is walked again from its beginning.
        at: the moment the call came, in UTC.

    Returns:
        The step, and the reasons found since the step before it; always a `Reject` after finitely many outcomes.
    """
    walk = Walk(plan, state, call, at)
    for outcome in outcomes:
        walk.after(outcome)
    return walk.decision
