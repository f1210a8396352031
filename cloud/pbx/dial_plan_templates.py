"""Dial plans to begin with: how people of a country dial, made into rules that give numbers of E.164.

National numbering plans as the ITU publishes them (ITU-T E.129): prefixes, and where a call costs nothing or a lot.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from contract.snapshot import (
    CallPattern,
    Category,
    DialPattern,
    DialPlan,
    EmergencyRule,
    FeatureRule,
    InternalRule,
    OutsideRule,
    Rule,
    ServiceRule,
    VoicemailRule,
)
from contract.snapshot.emergency_numbers import NUMBERS_BY_COUNTRY

ANYWHERE: Final = ("112",)
"""For help, by a mobile network's rules in every country (3GPP TS 22.101 §10)."""
PERMISSIONS: Final[dict[Category, tuple[str, ...]]] = {
    "local": ("LocalDialing",),
    "long_distance": ("LongDistanceDialing", "LocalDialing"),
    "international": ("InternationalDialing",),
    "mobile": ("Mobile",),
    "toll_free": ("TollFree", "LocalDialing"),
    "restricted": ("900Dialing",),
}
"""Any one of them suffices."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of one kind: what is dialled begins with one of `prefixes`, in front of `digits` more.

    Args:
        name: of the rule.
        category: of the rule.
        prefixes: as they are dialled, each with what stands for it in E.164.
        digits: how many follow; None: any number.
    """

    name: str
    category: Category
    prefixes: tuple[tuple[str, str], ...]
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """How a country dials.

    Args:
        name: for people.
        outside: what is customary for an outside line.
        numbers: in the order in which they are looked at.
        area: country code in front of an area code, where numbers are dialled without it; empty: they are not.
        local_digits: of such a number.
    """

    name: str
    outside: str
    numbers: tuple[Numbers, ...]
    area: str = ""
    local_digits: int = 0


def _international(prefix: str) -> Numbers:
    return Numbers("International", "international", ((prefix, "+"), ("+", "+")))


_NORTH_AMERICAN_FREE: Final = ("800", "833", "844", "855", "866", "877", "888")
COUNTRIES: Final[dict[str, Country]] = {
    "US": Country(
        "North America",
        "9",
        (
            Numbers(
                "Toll free",
                "toll_free",
                tuple((one + code, f"+1{code}") for code in _NORTH_AMERICAN_FREE for one in ("1", "")),
                7,
            ),
            Numbers("Premium rate", "restricted", (("1900", "+1900"), ("900", "+1900")), 7),
            _international("011"),
            Numbers("Long distance", "long_distance", (("1", "+1"), ("", "+1")), 10),
        ),
        area="+1",
        local_digits=7,
    ),
    "GB": Country(
        "United Kingdom",
        "9",
        (
            Numbers("Freephone", "toll_free", (("0800", "+44800"), ("0808", "+44808"))),
            Numbers("Premium rate", "restricted", (("09", "+449"), ("087", "+4487"))),
            Numbers("Mobile", "mobile", (("07", "+447"),), 9),
            _international("00"),
            Numbers("National", "long_distance", (("0", "+44"),)),
        ),
    ),
    "DE": Country(
        "Germany",
        "0",
        (
            Numbers("Freephone", "toll_free", (("0800", "+49800"),)),
            Numbers("Premium rate", "restricted", (("0900", "+49900"), ("0137", "+49137"))),
            Numbers("Mobile", "mobile", (("015", "+4915"), ("016", "+4916"), ("017", "+4917"))),
            _international("00"),
            Numbers("National", "long_distance", (("0", "+49"),)),
        ),
    ),
    "FR": Country(
        "France",
        "0",
        (
            Numbers("Freephone", "toll_free", (("080", "+3380"),), 7),
            Numbers("Premium rate", "restricted", (("089", "+3389"),), 7),
            Numbers("Mobile", "mobile", (("06", "+336"), ("07", "+337")), 8),
            _international("00"),
            Numbers("National", "long_distance", (("0", "+33"),), 9),
        ),
    ),
    "CH": Country(
        "Switzerland",
        "0",
        (
            Numbers("Freephone", "toll_free", (("0800", "+41800"),), 6),
            Numbers("Premium rate", "restricted", (("090", "+4190"),), 7),
            Numbers("Mobile", "mobile", (("07", "+417"),), 8),
            _international("00"),
            Numbers("National", "long_distance", (("0", "+41"),), 9),
        ),
    ),
    "AU": Country(
        "Australia",
        "0",
        (
            Numbers("Freecall", "toll_free", (("1800", "+611800"),), 6),
            Numbers("Local rate", "local", (("1300", "+611300"),), 6),
            Numbers("Local rate, short", "local", (("13", "+6113"),), 4),
            Numbers("Premium rate", "restricted", (("190", "+61190"),)),
            Numbers("Mobile", "mobile", (("04", "+614"),), 8),
            _international("0011"),
            Numbers("National", "long_distance", (("0", "+61"),), 9),
        ),
        area="+61",
        local_digits=8,
    ),
    "generic": Country("Any country, by E.164", "", (_international("00"),)),
}


def with_template(
    plan: DialPlan, site_id: UUID, country: str, outside: str, area_code: str, gateways: tuple[str, ...]
) -> DialPlan:
    """A plan whose rules are those of a country; gateways, schedules, groups and locations stay.

    Args:
        plan: what the site has.
        site_id: rule ids follow from it, so that the same template gives the same rules.
        country: key of `COUNTRIES`.
        outside: what is dialled for an outside line; empty: nothing.
        area_code: the site's own, for numbers that are dialled without it; empty: they are not.
        gateways: ids, in the order in which they are tried.
    """
    of = COUNTRIES[country]
    services = tuple(rule for rule in plan.rules if isinstance(rule, ServiceRule | FeatureRule | VoicemailRule))
    rules: list[Rule] = [
        EmergencyRule(
            rule_id=_id(site_id, "emergency"),
            numbers=NUMBERS_BY_COUNTRY.get(country, ANYWHERE),
            prefix=outside,
            gateways=gateways,
        ),
        *services,
        InternalRule(rule_id=_id(site_id, "internal")),
    ]
    numbers = list(of.numbers)
    if of.area and area_code:
        numbers.append(Numbers("Local", "local", (("", of.area + area_code),), of.local_digits))
    for one in numbers:
        rules.extend(_rules(site_id, one, outside, gateways))
    return plan.model_copy(update={"rules": tuple(rules)})


def _rules(site_id: UUID, numbers: Numbers, outside: str, gateways: tuple[str, ...]) -> list[OutsideRule]:
    """One rule for each number of E.164 that prefixes stand for: a rule has one call pattern."""
    by_call: dict[str, list[DialPattern]] = {}
    for dialled, called in numbers.prefixes:
        # The plus is a phone's own way to begin an international number: no outside line in front of it.
        prefix = dialled if dialled == "+" else outside + dialled
        by_call.setdefault(called, []).append(DialPattern(prefix=prefix, digits=numbers.digits))
    return [
        OutsideRule(
            rule_id=_id(site_id, f"{numbers.name} {called}"),
            name=numbers.name if len(by_call) == 1 else f"{numbers.name} {called}",
            category=numbers.category,
            patterns=tuple(patterns),
            call=CallPattern(prefix=called, keep="variable"),
            gateways=gateways,
            permissions=PERMISSIONS[numbers.category],
        )
        for called, patterns in by_call.items()
    ]


def _id(site_id: UUID, name: str) -> str:
    return str(uuid5(site_id, name))
