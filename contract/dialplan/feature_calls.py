"""What becomes of a feature code that a user dialled: something is changed, or a call is placed in a particular way."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import datetime
from typing import Final, Protocol

from contract.dialplan.compiled import CompiledPlan
from contract.dialplan.features import feature_values
from contract.dialplan.hot_desks import HOT_DESK, HOT_DESKING
from contract.dialplan.queue_calls import agent_changes, agent_of_call
from contract.dialplan.service_calls import retrieval_step
from contract.dialplan.site_state import CALL_BACK, MAX_CALL_BACKS
from contract.dialplan.steps import Call, Change, Outcome, Pickup, Ring, Service, SiteState, Step
from contract.snapshot import FeatureRule, Park, User
from contract.snapshot.dial_plan import Setting

Way = Generator[Step, Outcome, int]

INTERCOM_SECONDS: Final = 15
"""How long a phone has that is to answer by itself."""
_NUMBER: Final = re.compile(r"\+?[0-9]{1,32}")


class Onward(Protocol):
    """What a feature asks of the way of the call that it is part of."""

    plan: CompiledPlan
    state: SiteState
    call: Call
    at: datetime
    hidden: bool | None
    """Whether the call shows nobody, where the caller said so; None: as the user's settings have it."""

    def note(self, code: str, text: str, rule_id: str | None = None) -> None:
        """One more reason."""
        ...

    def refuse(self, status: int, code: str, text: str, rule_id: str | None = None) -> int:
        """The last reason, with the status that the caller gets."""
        ...

    def dialled_again(self, destination: str, caller: User) -> Way:
        """As if the caller had dialled something else."""
        ...

    def unwanted(self, user: User) -> str:
        """Why a user wants no call from this caller now; empty: for no reason."""
        ...


def feature_call(way: Onward, rule: FeatureRule, argument: str, caller: User) -> Way:
    """One feature.

    Args:
        way: of the call.
        rule: with the feature.
        argument: what was dialled behind its code.
        caller: who dialled it himself, and may.
    """
    feature = rule.feature
    match feature:
        case "speed_dial":
            return _speed_dial(way, rule, argument, caller)
        case "call_return":
            return _call_return(way, rule, argument, caller)
        case "hide_caller_id" | "show_caller_id":
            return _with_caller_id(way, rule, argument, caller)
        case "intercom":
            return _intercom(way, rule, argument, caller)
        case "pickup":
            return _pickup(way, rule, argument, caller)
        case "group_pickup":
            return _group_pickup(way, rule, argument, caller)
        case "hot_desk":
            return _log_in(way, rule, argument, caller)
        case "hot_desk_off":
            return _log_out(way, rule, argument, caller)
        case "call_back":
            return _call_back(way, rule, argument, caller)
        case "park_retrieve":
            return _park_retrieve(way, rule, argument, caller)
        case "call_back_off":
            return _no_call_back(way, rule, argument, caller)
        case "queue_log_in" | "queue_log_out" | "queue_pause":
            return _at_queues(way, rule, argument, caller)
        case "queue_listen" | "queue_whisper" | "queue_barge":
            return _supervise(way, rule, argument, caller)
        case _:
            return _change(way, rule, feature, argument, caller)


def _change(way: Onward, rule: FeatureRule, feature: Setting, argument: str, caller: User) -> Way:
    values = feature_values(feature, argument, caller, way.state.last_caller.get(caller.user_id, ""))
    if values is None:
        way.note("feature_declined", f"{argument or 'nothing'} makes no sense behind {rule.code}", rule.rule_id)
        outcome = yield Service("declined")
        return outcome.status
    told = " and ".join(f"{kind} is {value or 'off'}" for kind, value in values)
    way.note("feature_changed", f"{caller.username}: {told}", rule.rule_id)
    outcome = yield Change(caller.user_id, values)
    outcome = yield Service("confirmed" if outcome.status == 200 else "declined")
    return outcome.status


def _speed_dial(way: Onward, rule: FeatureRule, slot: str, caller: User) -> Way:
    """The user's own, or the site's."""
    found = way.state.speed_dials.get(caller.user_id, {}).get(slot) or way.plan.speed_dials.get(slot)
    if found is None:
        return way.refuse(404, "speed_dial_empty", f"no number is kept under {slot or 'nothing'}", rule.rule_id)
    way.note("speed_dial", f"{slot} stands for {found.destination}", rule.rule_id)
    return (yield from way.dialled_again(found.destination, caller))


def _call_return(way: Onward, rule: FeatureRule, argument: str, caller: User) -> Way:
    """Back to whoever called last, by what that caller showed: a name of the site, or digits and nothing else."""
    last = "" if argument else way.state.last_caller.get(caller.user_id, "")
    if last not in way.plan.dialled and _NUMBER.fullmatch(last) is None:
        return way.refuse(404, "no_last_caller", f"nobody is known who called {caller.username} last", rule.rule_id)
    way.note("call_return", f"{caller.username} was called by {last} last", rule.rule_id)
    return (yield from way.dialled_again(way.plan.as_dialled(last), caller))


def _with_caller_id(way: Onward, rule: FeatureRule, number: str, caller: User) -> Way:
    if not number:
        return way.refuse(484, "incomplete", f"the number to call belongs behind {rule.code}", rule.rule_id)
    way.hidden = rule.feature == "hide_caller_id"
    way.note(rule.feature, f"{caller.username} is {'not ' if way.hidden else ''}shown", rule.rule_id)
    return (yield from way.dialled_again(number, caller))


def _intercom(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """A phone that answers by itself: no forwarding, no second phone beyond the site."""
    user = way.plan.dialled.get(extension)
    if user is None or not user.enabled or user is caller:
        return way.refuse(404, "no_user", f"{extension or 'nobody'} is no other user of the site", rule.rule_id)
    if user.user_id in way.state.no_intercom:
        return way.refuse(403, "intercom_off", f"{user.username} wants no intercom", rule.rule_id)
    if reason := way.unwanted(user):
        return way.refuse(486, "unwanted", reason, rule.rule_id)
    way.note("intercom", f"the phones of {user.username} answer by themselves", rule.rule_id)
    outcome = yield Ring((user.user_id,), (), INTERCOM_SECONDS, hidden=way.hidden is True, answered_at_once=True)
    return way.refuse(outcome.status, "exhausted", f"{user.username} was not reached", rule.rule_id)


def _pickup(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """What rings at a user's phones, or at those of a hunt group's members."""
    group = way.plan.groups.get(extension)
    user = way.plan.dialled.get(extension)
    members = group.members if group is not None else (user.user_id,) if user is not None else ()
    if not members:
        return way.refuse(404, "no_user", f"{extension or 'nobody'} is no user or group of the site", rule.rule_id)
    return (yield from _picked_up(way, rule, tuple(one for one in members if one != caller.user_id), extension, caller))


def _group_pickup(way: Onward, rule: FeatureRule, argument: str, caller: User) -> Way:
    """What rings at the phones of whoever is in a pickup group with the caller."""
    colleagues = way.plan.colleagues.get(caller.user_id, ()) if not argument else ()
    if not colleagues:
        return way.refuse(403, "no_pickup_group", f"{caller.username} is in no pickup group", rule.rule_id)
    return (yield from _picked_up(way, rule, colleagues, "the group", caller))


def _picked_up(way: Onward, rule: FeatureRule, user_ids: tuple[str, ...], whose: str, caller: User) -> Way:
    way.note("pickup", f"{caller.username} picks up what rings at {whose}", rule.rule_id)
    outcome = yield Pickup(user_ids)
    return way.refuse(outcome.status, "nothing_rings", f"nothing rings at {whose}", rule.rule_id)


def _park_retrieve(way: Onward, rule: FeatureRule, orbit: str, caller: User) -> Way:
    """Who waits in an orbit of call park."""
    park = way.plan.services.get(orbit)
    if not isinstance(park, Park) or orbit not in park.orbits:
        return way.refuse(404, "no_orbit", f"{orbit or 'nothing'} is no orbit of call park", rule.rule_id)
    if park.permission is not None and park.permission not in caller.permissions:
        return way.refuse(
            403, "permission_missing", f"{caller.username} lacks the permission {park.permission}", rule.rule_id
        )
    way.note("park_retrieve", f"{caller.username} takes up who waits in {orbit}", rule.rule_id)
    outcome = yield retrieval_step(park, orbit, caller)
    return outcome.status


def _at_queues(way: Onward, rule: FeatureRule, number: str, caller: User) -> Way:
    """At one queue, or without a number at all of the caller's."""
    values = agent_changes(way.plan, way.state, rule.feature, number, caller)
    if not values:
        return (yield from _declined(way, rule, f"{caller.username} is no agent at {number or 'any queue'} for that"))
    told = " and ".join(f"{kind} is {value}" for kind, value in values)
    way.note("queue_agent", f"{caller.username}: {told}", rule.rule_id)
    return (yield from _kept(way, caller, values))


def _supervise(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """The call of an agent, for a supervisor of his."""
    found = agent_of_call(way.plan, extension, caller)
    if found is None:
        why = f"{caller.username} supervises no queue of {extension or 'nobody'}"
        return way.refuse(403, "no_supervisor", why, rule.rule_id)
    queue, agent = found
    way.note(rule.feature, f"{caller.username} attends a call of {agent.username}", rule.rule_id)
    told = (("service", queue.service_id), ("action", rule.feature.removeprefix("queue_")), ("agent", agent.user_id))
    outcome = yield Service("queue", told)
    return outcome.status


def _log_in(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """At this phone, with an extension and its PIN, which the service asks for."""
    line_id, host = way.call.line_id, way.call.host
    if line_id is None or host is None:
        return way.refuse(403, "no_line", f"{caller.username} calls from no phone of the site", rule.rule_id)
    arguments = [("line", line_id), ("host", host), ("hours", str(way.plan.hot_desk_hours))]
    if extension:
        user = way.plan.dialled.get(extension)
        if user is None or not user.enabled or HOT_DESKING not in user.permissions:
            return way.refuse(403, "no_hot_desk", f"{extension} may log in at no other phone", rule.rule_id)
        arguments.append(("user", user.user_id))
    way.note("hot_desk", f"{extension or 'somebody'} wants to log in at this phone", rule.rule_id)
    outcome = yield Service("hot_desk", tuple(arguments))
    return outcome.status


def _log_out(way: Onward, rule: FeatureRule, argument: str, caller: User) -> Way:
    line_id = way.call.line_id
    desk = way.state.hot_desks.get(line_id or "")
    if argument or line_id is None or desk is None:
        way.note("feature_declined", f"{caller.username} is logged in at no other's phone", rule.rule_id)
        outcome = yield Service("declined")
        return outcome.status
    way.note("hot_desk_off", f"{caller.username} logs out of this phone", rule.rule_id)
    outcome = yield Change(line_id, ((HOT_DESK, False),))
    outcome = yield Service("confirmed" if outcome.status == 200 else "declined")
    return outcome.status


def _call_back(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """Once whom the caller did not reach is free, the edge rings the caller and then calls him."""
    user_id = way.state.last_unreached.get(caller.user_id, "")
    user = way.plan.dialled.get(extension) if extension else way.plan.users.get(user_id)
    waiting = _call_backs(way, caller)
    if user is None or not user.enabled or user is caller:
        return (yield from _declined(way, rule, f"{extension or 'nobody'} is no other user of the site"))
    if user.user_id not in waiting and len(waiting) >= MAX_CALL_BACKS:
        return (yield from _declined(way, rule, f"{caller.username} waits for {MAX_CALL_BACKS} others already"))
    minutes = way.plan.call_back_minutes
    until = int(way.at.timestamp()) + 60 * minutes
    told = f"{caller.username} is called when {user.username} is free, within {minutes} minutes"
    way.note("call_back", told, rule.rule_id)
    return (yield from _kept(way, caller, ((f"{CALL_BACK}/{user.user_id}", str(until)),)))


def _no_call_back(way: Onward, rule: FeatureRule, extension: str, caller: User) -> Way:
    """For one user, or without an extension for all."""
    waiting = _call_backs(way, caller)
    if extension:
        user = way.plan.dialled.get(extension)
        waiting = [one for one in waiting if user is not None and one == user.user_id]
    if not waiting:
        return (yield from _declined(way, rule, f"{caller.username} waits for {extension or 'nobody'}"))
    way.note("call_back_off", f"{caller.username} is not called back any more", rule.rule_id)
    return (yield from _kept(way, caller, tuple((f"{CALL_BACK}/{one}", False) for one in waiting)))


def _call_backs(way: Onward, caller: User) -> list[str]:
    now = way.at.timestamp()
    return [user_id for user_id, until in way.state.call_backs.get(caller.user_id, {}).items() if until > now]


def _kept(way: Onward, caller: User, values: tuple[tuple[str, str | bool], ...]) -> Way:
    outcome = yield Change(caller.user_id, values)
    outcome = yield Service("confirmed" if outcome.status == 200 else "declined")
    return outcome.status


def _declined(way: Onward, rule: FeatureRule, why: str) -> Way:
    way.note("feature_declined", why, rule.rule_id)
    outcome = yield Service("declined")
    return outcome.status
