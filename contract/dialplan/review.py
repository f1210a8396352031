"""What is wrong with a dial plan whose rules are valid one by one: rules that never match, numbers that clash."""

from collections.abc import Iterable, Iterator

from contract.dialplan.compiled import matches
from contract.snapshot import (
    DialPattern,
    DialPlan,
    EmergencyRule,
    FeatureRule,
    InternalRule,
    OutsideRule,
    ServiceRule,
    User,
    VoicemailRule,
)
from contract.snapshot.conference import conference_warnings
from contract.snapshot.fax import fax_warnings
from contract.snapshot.mailbox import mailbox_warnings
from contract.snapshot.queue import queue_warnings


def review(plan: DialPlan, users: Iterable[User]) -> list[str]:
    """What whoever saves the plan should know, in the plan's order; empty when there is nothing.

    Args:
        plan: rules and what they refer to.
        users: of the site.
    """
    numbers = {name for user in users for name in (user.username, user.extension, *user.aliases) if name}
    numbers.update(name for group in plan.hunt_groups for name in (group.extension, *group.aliases))
    numbers.update(name for service in plan.voice_services for name in service.names)
    return [
        *_unreachable(plan, numbers),
        *_hidden_numbers(plan, numbers),
        *_without_gateway(plan),
        *conference_warnings(plan.voice_services),
        *queue_warnings(plan.voice_services),
        *mailbox_warnings(plan.voice_services),
        *fax_warnings(plan.voice_services),
    ]


def covers(general: DialPattern, special: DialPattern) -> bool:
    """Whether every number that fits `special` fits `general` too."""
    rest = special.prefix[len(general.prefix) :]
    if not special.prefix.startswith(general.prefix) or (rest and not rest.isdigit()):
        return False
    if general.digits is None:
        return True
    return special.digits is not None and len(rest) + special.digits == general.digits


def _unreachable(plan: DialPlan, numbers: set[str]) -> Iterator[str]:
    """Rules whose every pattern an earlier rule takes at all times."""
    before: list[tuple[str, DialPattern]] = []
    internal: str | None = None
    for rule in plan.rules:
        if not rule.enabled:
            continue
        match rule:
            case OutsideRule():
                takers = {_first_taker(before, pattern) for pattern in rule.patterns}
                if None not in takers:
                    names = " and ".join(sorted(filter(None, takers)))
                    yield f"{rule.name} is never reached: its numbers go to {names}"
                if rule.during is None:
                    before.extend((rule.name, pattern) for pattern in rule.patterns)
            case ServiceRule():
                if (taker := _first_taker(before, DialPattern(prefix=rule.code, digits=0))) is not None:
                    yield f"{rule.name} is never reached: {rule.code} goes to {taker}"
            case VoicemailRule():
                codes = [DialPattern(prefix=rule.code, digits=0)] if rule.code else []
                codes += [DialPattern(prefix=rule.prefix)] if rule.prefix else []
                for pattern in codes:
                    if (taker := _first_taker(before, pattern)) is not None:
                        yield f"{rule.name} is never reached: {pattern.prefix} goes to {taker}"
            case FeatureRule():
                if (taker := _first_taker(before, DialPattern(prefix=rule.code))) is not None:
                    yield f"{rule.name} is never reached: {rule.code} goes to {taker}"
            case InternalRule():
                if internal is not None:
                    yield f"{rule.name} is never reached: its numbers go to {internal}"
                internal = rule.name
                for number in sorted(numbers):
                    taker = next((name for name, pattern in before if matches(pattern, number)), None)
                    if taker is not None:
                        yield f"{number} does not ring inside the site: {taker} takes it before {rule.name}"
            case EmergencyRule():
                pass  # its place in the list does not matter


def _first_taker(before: list[tuple[str, DialPattern]], pattern: DialPattern) -> str | None:
    return next((name for name, general in before if covers(general, pattern)), None)


def _hidden_numbers(plan: DialPlan, numbers: set[str]) -> Iterator[str]:
    """Numbers of the site that are dialled for help, and so never ring there."""
    for rule in plan.rules:
        if isinstance(rule, EmergencyRule) and rule.enabled:
            dialled = {prefix + number for number in rule.numbers for prefix in ("", rule.prefix)}
            yield from (
                f"{number} does not ring inside the site: {rule.name} takes it" for number in sorted(dialled & numbers)
            )


def _without_gateway(plan: DialPlan) -> Iterator[str]:
    on = {gateway.gateway_id for gateway in (*plan.gateways, *plan.trunks) if gateway.enabled}
    for rule in plan.rules:
        if isinstance(rule, OutsideRule | EmergencyRule) and rule.enabled and not on.intersection(rule.gateways):
            if isinstance(rule, EmergencyRule) and on:
                yield f"{rule.name} has no gateway that is switched on: calls for help go out by any other"
            else:
                yield f"{rule.name} leads nowhere: it has no gateway that is switched on"
