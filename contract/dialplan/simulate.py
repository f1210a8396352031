"""The whole way of a call that nobody answers, step by step: what the edge would do, with its reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.decide import decide
from contract.dialplan.steps import Call, Change, Decision, Outcome, Pickup, Reject, Ring, SiteState, Step

MAX_STEPS: Final = 2_000
"""More than any plan within the snapshot's limits takes; see `steps.MAX_FORWARDS`."""

Answer = Callable[[Step], Outcome]
"""How a step ends."""

NO_ANSWER: Final = Outcome(408)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One call.

    Args:
        decisions: every step with its reasons; the last one is a `Reject`.
    """

    decisions: tuple[Decision, ...]


def simulate(plan: CompiledPlan, state: SiteState, call: Call, at: datetime, answer: Answer) -> Simulated:
    """Walk a call to its end.

    Args:
        plan, state, call, at: as for `decide`.
        answer: how each step ends; `unanswered` serves for phones that ring and are not answered.
    """
    decisions: list[Decision] = []
    outcomes: list[Outcome] = []
    while len(decisions) < MAX_STEPS:
        decision = decide(plan, state, call, outcomes, at)
        decisions.append(decision)
        if isinstance(decision.step, Reject):
            break
        outcomes.append(answer(decision.step))
    return Simulated(tuple(decisions))


def unanswered(registered: frozenset[str], gateways_down: frozenset[str] = frozenset()) -> Answer:
    """Phones that ring without an answer.

    Args:
        registered: ids of the users with a phone at hand.
        gateways_down: ids of the gateways that do not answer.
    """

    def answer(step: Step) -> Outcome:
        if isinstance(step, Change):
            return Outcome(200)
        if isinstance(step, Pickup):
            return Outcome(480, reached=False)
        if not isinstance(step, Ring):
            return Outcome(503, reached=False)
        if registered.intersection(step.user_ids):
            return NO_ANSWER
        if any(one.gateway_id not in gateways_down for one in step.numbers):
            return Outcome(480) if not step.user_ids else NO_ANSWER
        return Outcome(503 if step.numbers and not step.user_ids else 480, reached=False)

    return answer
