"""decide(plan, state, call, outcomes, at): the next step of a call, and the reasons that led to it.

Pure: no clock, no I/O. The edge asks again after each step that failed, with the outcomes so far; the cloud's
simulator asks the same questions and shows the same reasons.
"""

from collections.abc import Sequence
from datetime import datetime

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.route import Route, phrase_of
from contract.dialplan.steps import Call, Decision, Outcome, Reject, SiteState


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
    route = Route(plan, state, call, at)
    way = route.walk()
    try:
        step = next(way)
        for outcome in outcomes:
            route.reasons.clear()
            step = way.send(outcome)
    except StopIteration as end:
        status: int = end.value
        return Decision(Reject(status, phrase_of(status)), tuple(route.reasons))
    return Decision(step, tuple(route.reasons))
