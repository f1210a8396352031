"""Calls to the tenant's other sites: edge to edge, else by the public number of who is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.dialplan.compiled import Elsewhere
from contract.dialplan.steps import Outward
from contract.snapshot import SiteLink, SiteToSiteRule, User

if TYPE_CHECKING:
    from contract.dialplan.route import Route, Way

_NEXT_WAY: Final = frozenset({430, 502, 503, 504})
"""Failures of the way; what the other site made of the call is its answer, a time-out of its phones too."""


def site_call(
    route: Route, rule: SiteToSiteRule, found: Elsewhere, dialled: str, payer: User | None, granted: bool
) -> Way:
    """Call somebody at another site.

    Whom he is called by there, may and wants, the other site decides. What came from a site goes to no third one.

    Args:
        route: the call.
        rule: that leads there.
        found: who.
        dialled: his number or name.
        payer: whose permissions count, who is somebody of this site or nobody.
        granted: whether whoever set up the way here let everybody.
    """
    site, who, rule_id = found.site, found.colleague.name, rule.rule_id
    route.note("site_to_site", f"{rule.name}: {dialled} is {who} at {site}", rule_id)
    if payer is None and not granted:
        return route.refuse(403, "outsider_refused", "a caller from outside reaches no other site", rule_id)
    status = 503
    if route.came_from_site:
        route.note("no_third_site", "a call from another site is not sent on to a third one", rule_id)
    else:
        for link in found.links:
            if link in route.state.gateways_down:
                route.note("site_skipped", f"the edge of {site} does not answer", rule_id)
                continue
            route.note("site", f"{dialled} goes to {site}, edge to edge by TLS", rule_id)
            outcome = yield route.rung((), (link_to(route, link, dialled),), None)
            status = outcome.status
            if outcome.reached and status not in _NEXT_WAY:
                return route.refuse(status, "refused", f"{site} answered {status}", rule_id)
    number = found.colleague.number
    if number and rule.gateways:
        route.note("site_by_number", f"{site} is not reached: {who} is called by the public number {number}", rule_id)
        return (yield from route.by_gateways(rule.gateways, number, payer, rule_id))
    why = "no public number is known" if not number else "the rule has no gateway for the public number"
    return route.refuse(status, "site_not_reached", f"{site} is not reached, and {why}", rule_id)


def link_to(route: Route, link: str, dialled: str) -> Outward:
    """Somebody by the edge of another site; colleagues see who calls, unless he hides in this call."""
    return Outward(link, dialled, anonymous=route.hidden is True)


def first_link(route: Route, found: Elsewhere) -> str | None:
    """The first way that works, for who rings beside others; None: there is none."""
    if route.came_from_site:
        return None
    return next((one for one in found.links if one not in route.state.gateways_down), None)


def is_link(route: Route, gateway_id: str | None) -> bool:
    """Whether a call that came by this gateway came from another site."""
    return gateway_id is not None and isinstance(route.plan.gateways.get(gateway_id), SiteLink)
