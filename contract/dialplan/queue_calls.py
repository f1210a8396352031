"""Calls of call queues: feature codes (how an agent stands, whose call a supervisor attends), and back to callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.dialplan.compiled import CompiledPlan, matches
from contract.dialplan.other_sites import site_call
from contract.dialplan.payers import caller_back
from contract.dialplan.steps import SiteState
from contract.queue_state import AGENT, AgentPresence, queues_of
from contract.snapshot import CallQueue, OutsideRule, SiteToSiteRule, User
from contract.snapshot.dial_plan import Feature

if TYPE_CHECKING:
    from contract.dialplan.route import Route, Way


def agent_changes(
    plan: CompiledPlan, state: SiteState, feature: Feature, number: str, agent: User
) -> tuple[tuple[str, str | bool], ...]:
    """What changes in the site's state, by its kind; nothing: he is no agent there, or pauses where he is not.

    Args:
        plan: with the queues.
        state: how agents stand.
        feature: `queue_log_in` (which also ends a pause), `queue_log_out` or `queue_pause`.
        number: of the queue; empty: all of the agent's.
        agent: who dialled it.
    """
    mine = queues_of(agent.user_id, {one.service_id: one for one in plan.services.values()}.values())
    wanted = [queue for queue in mine if not number or number in queue.names]
    if feature == "queue_pause":
        wanted = [queue for queue in wanted if _presence(state, queue, agent) != "out"]
    said: dict[str, AgentPresence] = {"queue_log_in": "in", "queue_log_out": "out", "queue_pause": "paused"}
    return tuple((f"{AGENT}/{queue.service_id}", said[feature]) for queue in wanted)


def _presence(state: SiteState, queue: CallQueue, agent: User) -> AgentPresence:
    said = state.queue_agents.get(agent.user_id, {}).get(queue.service_id)
    return said or ("in" if queue.begin_logged_in else "out")


def agent_of_call(plan: CompiledPlan, extension: str, supervisor: User) -> tuple[CallQueue, User] | None:
    """The agent whose number this is, and a queue of his that this user supervises; None: there is none."""
    agent = plan.dialled.get(extension)
    if agent is None:
        return None
    for queue in queues_of(agent.user_id, plan.services.values()):
        if supervisor.user_id in queue.supervisors:
            return queue, agent
    return None


def called_back(route: Route, dialled: str) -> Way:
    """Call whoever asked a queue for it: the phones of a user, or a line that the queue may use; never a service.

    Args:
        route: the call, whose `service` is the queue.
        dialled: whom.
    """
    plan = route.plan
    if dialled in plan.dialled:
        return (yield from route.phones(dialled))
    queue = plan.attendants.get(caller_back(route.call.service or ""))
    if queue is None or dialled in plan.emergency:
        return route.refuse(403, "not_called_back", f"nobody is called back at {dialled}")
    route.note("queue_call_back", f"{queue.display_name} calls {dialled} back")
    for candidate in plan.candidates_for(dialled):
        rule, pattern = candidate.rule, candidate.pattern
        if isinstance(rule, SiteToSiteRule) and (found := plan.elsewhere.get(dialled)) is not None:
            return (yield from site_call(route, rule, found, dialled, queue, granted=False))
        if not isinstance(rule, OutsideRule) or not matches(pattern, dialled):
            continue
        if route.is_time(rule.during, rule.name, rule.rule_id):
            return (yield from route.outside(rule, pattern, dialled, queue, granted=False))
    return route.refuse(404, "no_rule", f"no dialing rule leads from the queue to {dialled}")
