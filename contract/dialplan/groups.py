"""Hunt groups: in which order the members are rung, and where the call goes when none of them answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.steps import MAX_FORWARDS, Diversion, SiteState
from contract.snapshot import HuntGroup, User

if TYPE_CHECKING:
    from contract.dialplan.route import Route, Way


def hunt(route: Route, group: HuntGroup) -> Way:
    """Ring the members as the group says, and go on to where it leads when none of them answers.

    Args:
        route: the call.
        group: whose number was come to.
    """
    if group.group_id in route.entered:
        return route.refuse(482, "forward_loop", f"the call was at {group.name} before")
    route.entered.append(group.group_id)
    route.hunted.append(group.group_id)
    try:
        status = yield from _ring(route, group)
        if group.fallback is None:
            return route.exhausted(status)
        route.note("group_fallback", f"{group.name} goes on to {group.fallback}")
        if route.is_sent_on_too_often():
            return route.refuse(482, "forward_loop", f"forwarded more than {MAX_FORWARDS} times")
        route.diversions.append(Diversion(group.extension, "no-answer"))
        try:
            # Who set the group up may; so a caller from outside reaches the number on duty too.
            return (yield from route.number(group.fallback, route.caller, granted=True))
        finally:
            route.diversions.pop()
    finally:
        route.entered.pop()


def _ring(route: Route, group: HuntGroup) -> Way:
    available: list[User] = []
    for user in members_in_order(group, route.plan, route.state):
        reason = f"{user.username} rang already" if user.user_id in route.entered else route.unwanted(user)
        if reason:
            route.note("member_skipped", reason)
        else:
            available.append(user)
    if not available:
        route.note("group_empty", f"nobody of {group.name} can be rung")
        return 480
    if group.strategy == "parallel":
        route.note("ring", f"ring {len(available)} members of {group.name} at once")
        outcome = yield route.rung([user.user_id for user in available], (), group.ring_seconds)
        return outcome.status
    status = 480
    for user in available:
        if group.follow_forwarding:
            route.hunting += 1
            try:
                status = yield from route.user(user)
            finally:
                route.hunting -= 1
            continue
        route.note("ring", f"ring {user.username} of {group.name}")
        outcome = yield route.rung([user.user_id], (), group.ring_seconds)
        status = outcome.status
    return status


def members_in_order(group: HuntGroup, plan: CompiledPlan, state: SiteState) -> list[User]:
    """The members, first to ring first; `parallel` and `serial` keep the configured order."""
    members = [plan.users[user_id] for user_id in group.members]
    match group.strategy:
        case "parallel" | "serial":
            return members
        case "round_robin":
            start = state.rotation.get(group.group_id, 0) % len(members) if members else 0
            return members[start:] + members[:start]
        case "longest_idle":
            return sorted(members, key=lambda user: state.last_call_ended.get(user.user_id, float("-inf")))
