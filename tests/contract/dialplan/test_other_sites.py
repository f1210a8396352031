"""Calls to the tenant's other sites: edge to edge, else by a public number; and what comes from there."""

from typing import Any

import pytest

from contract.dialplan import Call, CompiledPlan, Outcome, Outward, Reject, Ring, SiteState, Step, compile_plan
from contract.dialplan.simulate import simulate, unanswered
from contract.snapshot import (
    Colleague,
    DialPlan,
    EdgeAddress,
    FindMe,
    Forwarding,
    Gateway,
    InternalRule,
    InwardNumber,
    OtherSite,
    Screening,
    Site,
    SiteToSiteRule,
    Snapshot,
)
from tests.contract.dialplan.office import MORNING, user

PRI = Gateway(gateway_id="pri", name="PRI", host="192.0.2.10", caller_id="0441112200")
RULES = (InternalRule(rule_id="internal"), SiteToSiteRule(rule_id="sites", name="Sites", gateways=("pri",)))


def other(site: str, *numbers: str, edges: int = 1, public: str | None = "+41441113300") -> OtherSite:
    """A site whose first user has a public number."""
    return OtherSite(
        site_id=site,
        name=site.capitalize(),
        certificate_name=f"{site}.t.tandem-sites.invalid",
        edges=tuple(EdgeAddress(edge_id=f"{site}-{n}", host=f"192.0.2.{20 + n}") for n in range(edges)),
        colleagues=tuple(
            Colleague(name=f"Desk {n}", dialled=(n, f"alias-{n}"), number=public if n == numbers[0] else None)
            for n in numbers
        ),
    )


def tenant(**more: Any) -> CompiledPlan:
    """The north, with the south (two edges) and the east; `more` is of the dial plan."""
    return compile_plan(
        Snapshot(
            version=1,
            site=Site(site_id="north", tenant_id="t", name="North", domain="example.test", realm="r"),
            users=(
                user("200", anonymous=True),
                user("201", forwarding=Forwarding(always="300")),
                user("202", forwarding=Forwarding(find_me=(FindMe(destination="300", order="at_the_same_time"),))),
            ),
            other_sites=(other("east", "500"), other("south", "300", "301", edges=2)),
            dial_plan=DialPlan(**{"rules": RULES, "gateways": (PRI,), **more}),
        )
    )


def walked(plan: CompiledPlan, call: Call, *outcomes: Outcome, down: tuple[str, ...] = ()) -> tuple[list[Step], str]:
    """The steps of a call whose first ones end so and the others unanswered, and the whole story."""
    left = list(outcomes)
    silent = unanswered(frozenset(plan.users), frozenset(down))
    state = SiteState(gateways_down=frozenset(down))
    found = simulate(plan, state, call, MORNING, lambda step: left.pop(0) if left else silent(step))
    story = "; ".join(reason.text for decision in found.decisions for reason in decision.reasons)
    return [decision.step for decision in found.decisions], story


def ways(steps: list[Step]) -> list[tuple[str, str]]:
    return [(one.gateway_id, one.number) for step in steps if isinstance(step, Ring) for one in step.numbers]


AWAY = Outcome(503, reached=False)


def test_a_colleague_at_another_site_is_called_edge_to_edge_and_sees_who_calls() -> None:
    steps, story = walked(tenant(), Call("u200", "300"), Outcome(200))
    assert steps[0] == Ring((), (Outward("south-0", "300", anonymous=False),))
    assert "Sites: 300 is Desk 300 at South; 300 goes to South, edge to edge by TLS" in story


def test_an_alias_is_called_as_it_was_dialled() -> None:
    assert ways(walked(tenant(), Call("u200", "alias-301"), Outcome(200))[0])[0] == ("south-0", "alias-301")


def test_every_edge_of_a_site_is_tried_and_then_the_public_number() -> None:
    steps, story = walked(tenant(), Call("u200", "300"), AWAY, AWAY)
    assert ways(steps) == [("south-0", "300"), ("south-1", "300"), ("pri", "+41441113300")]
    assert "South is not reached: Desk 300 is called by the public number +41441113300" in story


def test_edges_that_do_not_answer_are_passed_over() -> None:
    steps, story = walked(tenant(), Call("u200", "300"), down=("south-0", "south-1"))
    assert ways(steps) == [("pri", "+41441113300")]
    assert "the edge of South does not answer" in story


@pytest.mark.parametrize("status", [404, 408, 480, 486, 603])
def test_what_the_other_site_answers_is_the_answer(status: int) -> None:
    steps, story = walked(tenant(), Call("u200", "300"), Outcome(status))
    assert steps[1:] == [Reject(status, steps[-1].phrase)] if isinstance(steps[-1], Reject) else False
    assert f"South answered {status}" in story


@pytest.mark.parametrize(
    ("dialled", "rules", "why"),
    [
        ("301", RULES, "South is not reached, and no public number is known"),
        (
            "300",
            (SiteToSiteRule(rule_id="sites"),),
            "South is not reached, and the rule has no gateway for the public number",
        ),
    ],
)
def test_without_a_public_number_or_a_gateway_for_it_the_caller_is_told(dialled: str, rules: Any, why: str) -> None:
    steps, story = walked(tenant(rules=rules), Call("u200", dialled), AWAY, AWAY)
    assert steps[-1] == Reject(503, "Service Unavailable")
    assert why in story


def test_a_call_that_came_from_a_site_goes_to_no_third_one_but_by_the_public_network() -> None:
    steps, story = walked(tenant(), Call(None, "201", gateway_id="east-0", number="500"))
    assert ways(steps) == [("pri", "+41441113300")]
    assert "a call from another site is not sent on to a third one" in story
    assert ways(walked(tenant(), Call("u200", "201"), Outcome(200))[0])[0] == ("south-0", "300")


@pytest.mark.parametrize("gateway", ["east-0", "pri", None])
def test_nobody_from_outside_reaches_another_site_by_dialling_it(gateway: str | None) -> None:
    steps, _ = walked(tenant(), Call(None, "300", gateway_id=gateway))
    assert steps == [Reject(403, "Forbidden")]


def test_a_number_of_the_public_network_may_stand_for_somebody_at_another_site() -> None:
    plan = tenant(numbers=(InwardNumber(number="0441112233", destination="300"),))
    steps, _ = walked(plan, Call(None, "0441112233", gateway_id="pri"), Outcome(200))
    assert ways(steps)[0] == ("south-0", "300")


def test_the_site_screens_what_another_site_brings_as_it_does_what_gateways_bring() -> None:
    plan = tenant(screening=Screening(reject_anonymous=True))
    assert walked(plan, Call(None, "200", gateway_id="east-0", anonymous=True))[0] == [
        Reject(433, "Anonymity Disallowed")
    ]
    steps, story = walked(plan, Call(None, "200", gateway_id="east-0", number="500"))
    assert steps[0] == Ring(("u200",))
    assert "200 is called by East" in story


def test_who_is_sought_at_another_site_too_rings_there_beside_his_phones() -> None:
    steps, story = walked(tenant(), Call("u200", "202"), Outcome(200))
    first = steps[0]
    assert isinstance(first, Ring)
    assert (first.user_ids, [one.gateway_id for one in first.numbers]) == (("u202",), ["south-0"])
    assert "202 is looked for at 300, South" in story
    from_site, _ = walked(tenant(), Call(None, "202", gateway_id="east-0", number="500"), Outcome(200))
    assert isinstance(from_site[0], Ring)
    assert from_site[0].numbers == ()


def test_a_number_that_both_have_is_the_sites_own() -> None:
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="north", tenant_id="t", name="North", domain="example.test", realm="r"),
        users=(user("200"), user("300")),
        other_sites=(other("south", "300"),),
        dial_plan=DialPlan(rules=RULES, gateways=(PRI,)),
    )
    assert walked(compile_plan(snapshot), Call("u200", "300"))[0][0] == Ring(("u300",))


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ((other("north", "500"),), "north is this site itself"),
        (
            (other("east", "500"), other("west", "501").model_copy(update={"edges": other("east", "1").edges})),
            "east-0",
        ),
        (
            (
                other("east", "500"),
                other("west", "501").model_copy(update={"certificate_name": "east.t.tandem-sites.invalid"}),
            ),
            "east.t.tandem-sites.invalid is used twice",
        ),
    ],
)
def test_sites_that_cannot_be_told_apart_are_refused(others: tuple[OtherSite, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Snapshot(
            version=1,
            site=Site(site_id="north", tenant_id="t", name="North", domain="example.test", realm="r"),
            other_sites=others,
        )


@pytest.mark.parametrize("host", ["edge.example.test", "192.0.2.300", "::1"])
def test_an_edge_is_given_by_its_address(host: str) -> None:
    with pytest.raises(ValueError, match="no IPv4 address"):
        EdgeAddress(edge_id="e", host=host)


def test_a_site_is_known_by_a_name_that_no_name_server_knows() -> None:
    with pytest.raises(ValueError, match="has to end in"):
        OtherSite.model_validate(other("east", "1").model_dump() | {"certificate_name": "east.example.test"})
