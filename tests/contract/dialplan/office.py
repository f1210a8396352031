"""An office with everything that the dial plan knows, for tables of cases."""

from datetime import UTC, date, datetime
from typing import Any

from contract.dialplan import Call, CompiledPlan, Outcome, Ring, SiteState, Step, compile_plan, decide
from contract.snapshot import (
    CallPattern,
    DialPattern,
    DialPlan,
    During,
    EmergencyLocation,
    EmergencyRule,
    Forwarding,
    Gateway,
    Holiday,
    HuntGroup,
    InternalRule,
    Music,
    OutsideRule,
    Park,
    Schedule,
    ServiceRule,
    Site,
    Snapshot,
    User,
    WorkingHours,
)

MORNING = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
"""A Monday, eleven o'clock in Zurich: working time."""
ALL = ("LocalDialing", "LongDistanceDialing", "InternationalDialing", "Mobile", "TollFree", "EchoTest")

PRI = Gateway(gateway_id="pri", name="PRI", host="192.0.2.10", caller_id="0441112200")
FXO = Gateway(gateway_id="fxo", name="FXO", host="192.0.2.11", ignore_user_caller_id=True, caller_id="0441112299")
CELL = Gateway(gateway_id="cell", name="Cellular", host="192.0.2.12", prefix="9", block_caller_id=True)
HOURS = Schedule(
    schedule_id="hours",
    name="Office hours",
    hours=(
        WorkingHours(days=(1, 2, 3, 4, 5), start=480, end=720),
        WorkingHours(days=(1, 2, 3, 4, 5), start=780, end=1080),
    ),
    holidays=(
        Holiday(day=date(2026, 5, 25), name="Whit Monday"),
        Holiday(day=date(2020, 8, 1), every_year=True, name="National Day"),
    ),
)


def user(number: str, **more: Any) -> User:
    content: dict[str, Any] = {"user_id": f"u{number}", "username": number, "display_name": number, "extension": number}
    return User(**{**content, **more})


def outside(name: str, category: str, *patterns: tuple[str, int | None], **more: Any) -> OutsideRule:
    content: dict[str, Any] = {
        "rule_id": name.lower().replace(" ", "-"),
        "name": name,
        "category": category,
        "patterns": tuple(DialPattern(prefix=prefix, digits=digits) for prefix, digits in patterns),
        "gateways": ("pri", "fxo"),
    }
    return OutsideRule(**{**content, **more})


AFTER_WORK = During(schedule_id="hours", periods=("after_hours", "holiday"))
AT_WORK = During(schedule_id="hours", periods=("working_time",))

RULES = (
    ServiceRule(rule_id="echo", name="Echo", code="*99", service="echo_test", permission="EchoTest"),
    InternalRule(rule_id="internal"),
    EmergencyRule(rule_id="help", numbers=("112", "117", "118", "144"), prefix="0", gateways=("pri", "cell")),
    outside(
        "Night desk", "custom", ("555", 0), call=CallPattern(prefix="0791112233", keep="nothing"), during=AFTER_WORK
    ),
    outside(
        "Free", "toll_free", ("00800", 6), call=CallPattern(prefix="0800", keep="variable"), permissions=("TollFree",)
    ),
    outside("Premium", "restricted", ("0090", None), permissions=("900Dialing",)),
    outside(
        "Mobile",
        "mobile",
        ("007", 8),
        call=CallPattern(prefix="07", keep="variable"),
        permissions=("Mobile",),
        gateways=("cell",),
    ),
    outside(
        "International",
        "international",
        ("000", None),
        ("+", None),
        call=CallPattern(),
        permissions=("InternationalDialing",),
    ),
    outside(
        "Country",
        "long_distance",
        ("00", 9),
        call=CallPattern(prefix="0", keep="variable"),
        permissions=("LongDistanceDialing", "LocalDialing"),
    ),
    outside(
        "Day line",
        "local",
        ("0", 7),
        call=CallPattern(prefix="044", keep="variable"),
        permissions=("LocalDialing",),
        during=AT_WORK,
    ),
)

USERS = (
    user("200", permissions=ALL, caller_id="0441112233", aliases=("front",)),
    user("201", permissions=("LocalDialing",)),
    user("202", enabled=False),
    user("203"),
    user("204", permissions=ALL, anonymous=True),
    user("205"),
)

GROUPS = (
    HuntGroup(group_id="all", name="All", extension="300", members=("u200", "u201", "u203")),
    HuntGroup(
        group_id="serial", name="Serial", extension="301", strategy="serial", members=("u203", "u200"), fallback="205"
    ),
    HuntGroup(
        group_id="robin", name="Robin", extension="302", strategy="round_robin", members=("u200", "u201", "u203")
    ),
    HuntGroup(group_id="idle", name="Idle", extension="303", strategy="longest_idle", members=("u200", "u201", "u203")),
    HuntGroup(group_id="nobody", name="Nobody", extension="304", members=()),
    HuntGroup(group_id="off", name="Off", extension="305", members=("u200",), enabled=False),
    HuntGroup(
        group_id="deep", name="Deep", extension="306", strategy="serial", members=("u203",), follow_forwarding=True
    ),
    HuntGroup(group_id="ring", name="Ring", extension="307", strategy="serial", members=("u203",), fallback="307"),
)

SERVICES = (
    Music(service_id="music", name="Music", extension="380", aliases=("waiting",)),
    Music(service_id="private", name="Private music", extension="381", permission="EchoTest"),
    Park(service_id="park", name="Park", extension="390", orbits=("391", "392")),
    Music(service_id="silent", name="Silence", extension="382", enabled=False),
)

LOCATIONS = (
    EmergencyLocation(location_id="floor-1", name="Floor 1", caller_id="0441112201", address="Main Street 1, floor 1"),
    EmergencyLocation(location_id="floor-2", name="Floor 2", caller_id="0441112202", address="Main Street 1, floor 2"),
)


def office(**changes: Any) -> CompiledPlan:
    """The office, compiled; `changes` of the dial plan's fields, `users`, `time_zone`."""
    plan: dict[str, Any] = {
        "rules": RULES,
        "gateways": (PRI, FXO, CELL),
        "schedules": (HOURS,),
        "hunt_groups": GROUPS,
        "voice_services": SERVICES,
        "locations": LOCATIONS,
        "default_location_id": "floor-1",
    }
    users, zone = changes.pop("users", USERS), changes.pop("time_zone", "Europe/Zurich")
    site = Site(site_id="s", tenant_id="t", name="Office", domain="demo.tandem.test", realm="r", time_zone=zone)
    return compile_plan(Snapshot(version=1, site=site, users=users, dial_plan=DialPlan(**{**plan, **changes})))


OFFICE = office()


def said(step: Step) -> str:
    """A step as a short text: `200+201/30` rings two users for thirty seconds, `pri:0123` is a number at a gateway."""
    if isinstance(step, Ring):
        who = [user_id.removeprefix("u") for user_id in step.user_ids]
        who += [f"{one.gateway_id}:{one.number}" for one in step.numbers]
        return "+".join(who) + (f"/{step.seconds}" if step.seconds else "")
    return getattr(step, "name", "") or str(step.status)  # type: ignore[union-attr]


def way(
    dialled: str,
    caller: str | None = "u200",
    answers: tuple[int, ...] = (),
    state: SiteState | None = None,
    at: datetime = MORNING,
    plan: CompiledPlan = OFFICE,
    unreached: bool = False,
) -> str:
    """The steps of a call in a row; those after the given answers are answered 480."""
    outcomes: list[Outcome] = []
    steps: list[str] = []
    while True:
        step = decide(plan, state or SiteState(), Call(caller, dialled), outcomes, at).step
        steps.append(said(step))
        if not isinstance(step, Ring) and steps[-1].isdigit():
            return " ".join(steps)
        status = answers[len(outcomes)] if len(outcomes) < len(answers) else 480
        outcomes.append(Outcome(status, reached=not unreached))


def forwards(number: str = "203", **forwarding: Any) -> SiteState:
    """A user's forwarding as set at the site."""
    return SiteState(forwarding={f"u{number}": Forwarding(**forwarding)})
