"""In which order the members of a hunt group are rung."""

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.steps import SiteState
from contract.snapshot import HuntGroup, User


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
