"""What would become of a call: the edge's own evaluator, asked in the cloud, with every reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.pbx.checks import Problems
from contract import snapshot as contract
from contract.dialplan import (
    Call,
    Change,
    CompiledPlan,
    Decision,
    Outcome,
    Pickup,
    Reason,
    Reject,
    Ring,
    Service,
    Step,
    compile_plan,
)
from contract.dialplan.simulate import simulate, unanswered
from contract.dialplan.site_state import site_state
from contract.sync.state import StateRecord

MAX_SHOWN: Final = 200
"""Steps that are shown of one call."""
_Name = Annotated[str, Field(max_length=64)]


class CallQuestion(BaseModel):
    """A call that nobody makes, and what fails meanwhile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialled: Annotated[str, Field(min_length=1, max_length=64)]
    caller: _Name | None = None
    """User name, extension, alias or id of who calls; None: a caller from outside."""
    gateway: _Name | None = None
    """The gateway that a call from outside comes by: its name or id."""
    number: _Name = ""
    """What a caller from outside shows."""
    anonymous: bool = False
    """Whether the caller does not want to be named."""
    last_caller: _Name = ""
    """Who called the caller last."""
    at: AwareDatetime | None = None
    """When; None: now."""
    location_id: _Name | None = None
    """Where the caller's phone is."""
    unregistered: Annotated[tuple[_Name, ...], Field(max_length=1000)] = ()
    """Users without a phone at hand; everybody else's phones ring and are not answered."""
    busy: Annotated[tuple[_Name, ...], Field(max_length=1000)] = ()
    """Users who are in a call and want no second one."""
    gateways_down: Annotated[tuple[_Name, ...], Field(max_length=200)] = ()
    cloud_down: bool = False
    edge_down: bool = False


@dataclass(frozen=True, slots=True)
class Ringing:
    """A user whose phones ring."""

    user_id: str
    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """A number beyond the site."""

    gateway: str
    number: str
    caller_id: str | None
    anonymous: bool
    emergency: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One reason."""

    code: str
    text: str
    rule_id: str | None


@dataclass(frozen=True, slots=True)
class WalkedStep:
    """One step of a call: who rings, what is called, or how it ends.

    Args:
        reasons: what led to it, since the step before.
        users: whose phones ring.
        numbers: what is called beyond the site, at the same time.
        seconds: how long; None: as long as the caller waits.
        answered_at_once: whether the phones answer by themselves.
        picked_up: whose ringing call is taken.
        service: what it is connected to.
        arguments: what the service is told.
        changes: what the caller sets by it, by the kind of site state.
        status: the SIP status that the caller gets; None: it goes on.
    """

    reasons: Sequence[Told]
    users: Sequence[Ringing] = ()
    numbers: Sequence[Leaving] = ()
    seconds: int | None = None
    answered_at_once: bool = False
    picked_up: Sequence[Ringing] = ()
    service: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str | bool] = field(default_factory=dict)
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Walked:
    """A whole call that nobody answers."""

    steps: Sequence[WalkedStep]
    notes: Sequence[str] = field(default=())
    """What the failure state has to do with it."""

    @property
    def story(self) -> str:
        """All its reasons in one sentence."""
        return "; ".join(reason.text for step in self.steps for reason in step.reasons)


def walk(snapshot: contract.Snapshot, records: Sequence[StateRecord], question: CallQuestion, now: datetime) -> Walked:
    """Walk a call through a configuration.

    Raises:
        Invalid: the question names something that the site has not.
    """
    plan = compile_plan(snapshot)
    problems = Problems()
    caller = _user(problems, "caller", plan, question.caller) if question.caller is not None else None
    gateway = _gateway(problems, "gateway", plan, question.gateway) if question.gateway is not None else None
    away = {_user(problems, f"unregistered.{at}", plan, one) for at, one in enumerate(question.unregistered)}
    busy = frozenset(_user(problems, f"busy.{at}", plan, one) for at, one in enumerate(question.busy))
    down = frozenset(
        _gateway(problems, f"gateways_down.{at}", plan, one) for at, one in enumerate(question.gateways_down)
    )
    problems.check()
    notes = []
    if question.cloud_down:
        notes.append("The cloud is away: the edge decides by the configuration on its disk, so that nothing differs.")
    if question.edge_down:
        end = Told("edge_down", "the site's edge is away: its phones reach nobody until it is back", None)
        return Walked((WalkedStep((end,), status=503),), notes)
    call = Call(caller, question.dialled, question.location_id, gateway, question.number, question.anonymous)
    registered = frozenset(user.user_id for user in snapshot.users) - away
    quiet = unanswered(registered - busy, down)

    def answer(step: Step) -> Outcome:
        if isinstance(step, Ring) and step.user_ids and busy.intersection(step.user_ids) and not step.numbers:
            ringing = registered.difference(busy).intersection(step.user_ids)
            return quiet(step) if ringing else Outcome(486)
        return quiet(step)

    moment = question.at.astimezone(UTC) if question.at is not None else now
    state = replace(site_state(records, plan.users), in_call=busy)
    if caller is not None and question.last_caller:
        state = replace(state, last_caller={caller: question.last_caller})
    walked = simulate(plan, state, call, moment, answer)
    return Walked([_shown(plan, decision) for decision in walked.decisions[:MAX_SHOWN]], notes)


def _shown(plan: CompiledPlan, decision: Decision) -> WalkedStep:
    reasons = [_told(reason) for reason in decision.reasons]
    match decision.step:
        case Ring() as ring:
            return WalkedStep(
                reasons,
                users=_ringing(plan, ring.user_ids),
                numbers=[
                    Leaving(plan.gateways[one.gateway_id].name, one.number, one.caller_id, one.anonymous, one.emergency)
                    for one in ring.numbers
                ],
                seconds=ring.seconds,
                answered_at_once=ring.answered_at_once,
            )
        case Pickup() as pickup:
            return WalkedStep(reasons, picked_up=_ringing(plan, pickup.user_ids))
        case Service() as service:
            return WalkedStep(reasons, service=service.name, arguments=dict(service.arguments))
        case Change() as change:
            return WalkedStep(reasons, changes=dict(change.values))
        case Reject() as reject:
            return WalkedStep(reasons, status=reject.status)


def _ringing(plan: CompiledPlan, user_ids: Sequence[str]) -> list[Ringing]:
    users = [plan.users[user_id] for user_id in user_ids]
    return [Ringing(user.user_id, user.username, user.display_name) for user in users]


def _told(reason: Reason) -> Told:
    return Told(reason.code, reason.text, reason.rule_id)


def _user(problems: Problems, field: str, plan: CompiledPlan, name: str) -> str:
    found = plan.users.get(name) or plan.dialled.get(name)
    if found is None:
        problems.add(field, "The site has no such user")
        return ""
    return found.user_id


def _gateway(problems: Problems, field: str, plan: CompiledPlan, name: str) -> str:
    found = next((one for one in plan.gateways.values() if name in (one.gateway_id, one.name)), None)
    if found is None:
        problems.add(field, "The site has no such gateway that is switched on")
        return ""
    return found.gateway_id
