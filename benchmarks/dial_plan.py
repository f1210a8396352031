"""A dial plan decision at a site with 1,000 users and 200 rules, half of the calls to the outside."""

import timeit
from datetime import UTC, datetime
from typing import Final

from benchmarks.figure import Figure
from contract.dialplan import Call, Ring, SiteState, compile_plan, decide
from contract.snapshot import (
    DialPattern,
    DialPlan,
    Gateway,
    InternalRule,
    OutsideRule,
    ServiceRule,
    Site,
    Snapshot,
    User,
)

USERS: Final = 1000
RULES: Final = 200
REPEATS: Final = 50
LOOPS: Final = 1000
AT: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def measure() -> Figure:
    """Calls from one user to every other in turn, and to as many numbers beyond the site."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site", tenant_id="tenant", name="Office", domain="demo.tandem.test", realm="realm"),
        users=tuple(
            User(user_id=f"user-{n:04}", username=str(1000 + n), display_name=f"Desk {n}", extension=str(1000 + n))
            for n in range(USERS)
        ),
        dial_plan=DialPlan(
            rules=(
                InternalRule(rule_id="internal"),
                ServiceRule(rule_id="echo", name="Echo test", code="*99", service="echo_test"),
                *(
                    OutsideRule(
                        rule_id=f"rule-{n}",
                        name=f"Area {n}",
                        patterns=(DialPattern(prefix=f"0{n:03}", digits=6),),
                        gateways=("gateway",),
                    )
                    for n in range(RULES - 2)
                ),
            ),
            gateways=(Gateway(gateway_id="gateway", name="Gateway", host="192.0.2.1"),),
        ),
    )
    plan, state = compile_plan(snapshot), SiteState()
    numbers = [str(1000 + n % USERS) if n % 2 else f"0{n % (RULES - 2):03}123456" for n in range(LOOPS)]
    asked = [Call("user-0000", number) for number in numbers]
    assert all(isinstance(decide(plan, state, call, (), AT).step, Ring) for call in asked)

    def decide_all() -> None:
        for call in asked:
            decide(plan, state, call, (), AT)

    decide_all()
    runs = timeit.repeat(decide_all, number=1, repeat=REPEATS)
    return Figure(
        f"Dial plan decision, {USERS} users, {RULES} rules",
        "µs",
        tuple(seconds / LOOPS * 1e6 for seconds in runs),
        f"timeit: wall time of {LOOPS} decisions in one process, divided by them; {REPEATS} repeats",
        aim=50,
        p99=True,
    )
