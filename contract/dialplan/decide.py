"""decide(plan, state, call, outcomes, at): the next step of a call, and the reasons that led to it.

Pure: no clock, no I/O. The edge asks again after each step that failed, with the outcomes so far; the cloud's
simulator asks the same questions and shows the same reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from contract.dialplan.compiled import CompiledPlan
from contract.snapshot import InternalRule, ServiceRule, User


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to reach something.

    Args:
        caller: the authenticated user's id, or None for a caller from outside.
        dialled: the user part of the Request-URI, unescaped.
    """

    caller: str | None
    dialled: str


@dataclass(frozen=True, slots=True)
class SiteState:
    """What users changed at the site, as far as routing asks for it.

    Args:
        do_not_disturb: ids of the users who want no call now.
    """

    do_not_disturb: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an earlier step of the same call ended: `status` is its final SIP status code."""

    status: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a fixed `code` for programs and tests, a `text` for people, and the rule it came from."""

    code: str
    text: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring every contact of these users at once."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """Connect to a voice service of the site."""

    name: Literal["echo_test"]


@dataclass(frozen=True, slots=True)
class Reject:
    """End the call with this SIP status code and reason phrase."""

    status: int
    phrase: str


Step = Ring | Service | Reject


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step, with the reasons in the order in which they were found."""

    step: Step
    reasons: tuple[Reason, ...]


def decide(plan: CompiledPlan, state: SiteState, call: Call, outcomes: Sequence[Outcome], at: datetime) -> Decision:
    """What to do with a call now.

    Args:
        plan: the compiled dial plan of the site.
        state: what users changed at the site.
        call: who dialled what.
        outcomes: how the earlier steps of this call ended, oldest first; empty for a new call.
        at: the moment, in UTC (for schedules).
    """
    caller = plan.users.get(call.caller) if call.caller is not None else None
    if caller is not None and not caller.enabled:
        return _reject(403, "Forbidden", Reason("caller_disabled", f"{caller.username} is disabled"))
    for rule in plan.rules:
        match rule:
            case InternalRule():
                if (user := plan.dialled.get(call.dialled)) is not None:
                    return _internal(rule, user, state, outcomes)
            case ServiceRule():
                if rule.code == call.dialled:
                    return _service(rule, caller, outcomes)
            case _:
                assert_never(rule)
    return _reject(404, "Not Found", Reason("no_rule", f"no dialing rule matches {call.dialled}"))


def _internal(rule: InternalRule, user: User, state: SiteState, outcomes: Sequence[Outcome]) -> Decision:
    matched = Reason("internal", f"{rule.name}: the number belongs to {user.username}", rule.rule_id)
    if not user.enabled:
        return _reject(404, "Not Found", matched, Reason("callee_disabled", f"{user.username} is disabled"))
    if user.user_id in state.do_not_disturb:
        return _reject(486, "Busy Here", matched, Reason("do_not_disturb", f"{user.username} is not to be disturbed"))
    if outcomes:
        return _exhausted(matched, outcomes[-1])
    return Decision(Ring((user.user_id,)), (matched, Reason("ring", f"ring every phone of {user.username}")))


def _service(rule: ServiceRule, caller: User | None, outcomes: Sequence[Outcome]) -> Decision:
    matched = Reason("service", f"{rule.name}: {rule.code} is the service {rule.service}", rule.rule_id)
    if rule.permission is not None and (caller is None or rule.permission not in caller.permissions):
        missing = Reason("permission_missing", f"the caller lacks the permission {rule.permission}", rule.rule_id)
        return _reject(403, "Forbidden", matched, missing)
    if outcomes:
        return _exhausted(matched, outcomes[-1])
    return Decision(Service(rule.service), (matched,))


def _exhausted(matched: Reason, last: Outcome) -> Decision:
    return _reject(last.status, "", matched, Reason("exhausted", f"nothing is left to try after {last.status}"))


def _reject(status: int, phrase: str, *reasons: Reason) -> Decision:
    return Decision(Reject(status, phrase), reasons)
