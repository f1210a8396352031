"""Ringing a user: the phones, and the places where the user is looked for besides or after them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from contract.dialplan.compiled import called_number, matches
from contract.dialplan.other_sites import first_link, link_to
from contract.dialplan.payers import may
from contract.dialplan.steps import CONFIRMING_SECONDS, DECLINED, Confirmation, Diversion, Outcome, Outward, Step
from contract.snapshot import FindMe, Forwarding, OutsideRule, SiteToSiteRule, User

if TYPE_CHECKING:
    from contract.dialplan.route import Route


def ring(route: Route, user: User, forwarding: Forwarding) -> Generator[Step, Outcome, tuple[int, bool]]:
    """Ring the user's phones and find-me places, in rounds.

    Args:
        route: the call.
        user: who is called.
        forwarding: where he is looked for besides.

    Returns:
        The status of his phones, and whether there were any.
    """
    rounds: list[tuple[list[FindMe], int]] = [([], forwarding.ring_seconds)]
    for place in forwarding.find_me:
        if not place.enabled or not route.is_time(place.during, f"find-me to {place.destination}", None):
            continue
        if place.order == "at_the_same_time":
            rounds[-1][0].append(place)
        else:
            rounds.append(([place], place.seconds))
    alone = len(rounds) == 1 and forwarding.no_answer is None and not route.has_mailbox(user)
    first: Outcome | None = None
    for number, (places, seconds) in enumerate(rounds):
        users = [user] if number == 0 else []
        if number == 0:
            route.note("ring", f"ring every phone of {user.username}")
        ringing = 0 if alone else seconds
        numbers = [found for place in places if (found := _place(route, user, place, users, ringing)) is not None]
        if not alone and any(one.confirmed is not None for one in numbers):
            seconds += CONFIRMING_SECONDS
        if not users and not numbers:
            continue
        if places:
            route.diversions.append(Diversion(user.username, "follow-me"))
        outcome = yield route.rung([one.user_id for one in users], tuple(numbers), None if alone else seconds)
        if places:
            route.diversions.pop()
        first = first or outcome
        if outcome.status in DECLINED:
            return outcome.status, outcome.reached
    return (first.status, first.reached) if first is not None else (480, False)


def _place(route: Route, user: User, place: FindMe, users: list[User], seconds: int) -> Outward | None:
    """One find-me destination: its user is added to `users`, a number beyond the site is returned."""
    destination = place.destination
    if (found := route.plan.dialled.get(destination)) is not None:
        if found.user_id in route.entered or found in users:
            route.note("find_me_skipped", f"{destination} rings already")
        elif reason := route.unwanted(found):
            route.note("find_me_skipped", reason)
        else:
            route.note("find_me", f"{user.username} is looked for at {destination}")
            users.append(found)
        return None
    found_outward = beyond_the_site(route, user, destination)
    if found_outward is None or not place.confirm:
        return found_outward
    route.note("find_me_confirmed", f"{destination} has to press 1 to take the call")
    return replace(found_outward, confirmed=Confirmation(user.user_id, destination, seconds))


def beyond_the_site(route: Route, user: User, destination: str) -> Outward | None:
    """A find-me number beyond the site, by the first gateway that serves: it rings beside phones."""
    for candidate in route.plan.candidates_for(destination):
        rule, pattern = candidate.rule, candidate.pattern
        if isinstance(rule, SiteToSiteRule) and (found := route.plan.elsewhere.get(destination)) is not None:
            if (link := first_link(route, found)) is None:
                break
            route.note("find_me", f"{user.username} is looked for at {destination}, {found.site}", rule.rule_id)
            return link_to(route, link, destination)
        if not isinstance(rule, OutsideRule) or not matches(pattern, destination):
            continue
        if not route.is_time(rule.during, rule.name, rule.rule_id):
            continue
        if not may(user, rule.permissions):
            route.note("find_me_skipped", f"{user.username} may not call {destination}", rule.rule_id)
            return None
        for gateway_id in rule.gateways:
            if gateway_id in route.plan.gateways and gateway_id not in route.state.gateways_down:
                route.note("find_me", f"{user.username} is looked for at {destination}", rule.rule_id)
                return route.sent_to(gateway_id, called_number(rule.call, pattern, destination), user)
    route.note("find_me_skipped", f"nothing leads to {destination} now")
    return None
