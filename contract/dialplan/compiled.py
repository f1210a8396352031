"""The dial plan's look-up tables, built once per snapshot so that a decision costs a few dictionary reads."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.dialplan.callers import Names, plain
from contract.dialplan.payers import payers
from contract.snapshot import (
    CallPattern,
    Colleague,
    DialPattern,
    EmergencyLocation,
    EmergencyRule,
    FeatureRule,
    Gateway,
    HuntGroup,
    InternalRule,
    InwardNumber,
    OutsideRule,
    PickupGroup,
    Schedule,
    Screening,
    ServiceRule,
    SiteLink,
    SiteToSiteRule,
    Snapshot,
    SpeedDial,
    User,
    UserConferences,
    VoicemailRule,
    VoiceService,
)

LINK_SECONDS: Final = 10
"""How often the edge of another site is asked whether it is there."""
OrderedRule = InternalRule | ServiceRule | FeatureRule | VoicemailRule | OutsideRule | SiteToSiteRule


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way in which a rule may match.

    Args:
        place: the rule's place in the plan, and the pattern's in the rule: what comes first decides.
        rule: the rule.
        pattern: what has to fit; of an internal rule, anything does.
    """

    place: tuple[int, int]
    rule: OrderedRule
    pattern: DialPattern


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Somebody at another site of the tenant.

    Args:
        site: its name.
        links: the ways there, ids of gateways in the order in which they are tried.
        colleague: who.
    """

    site: str
    links: tuple[str, ...]
    colleague: Colleague


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """What `decide` reads.

    Args:
        candidates: what the enabled rules match, by the prefix of their patterns, each list in the plan's order.
        prefix_lengths: the lengths of those prefixes, shortest first.
        users: every user of the site by user id.
        dialled: the user that each user name, extension and alias belongs to.
        groups: the hunt group that each number and alias belongs to.
        services: the voice service that each number and alias belongs to, of those that are switched on.
        attendants: each as the user that it dials as, with its own permissions, by its id; and authorization codes.
        user_rooms: the conference rooms of users, where they have such.
        emergency: the rule, with its ways out of the site, and the number to send, by what is dialled for help.
        gateways: those that are switched on, by id; trunks and the edges of other sites among them.
        elsewhere: who is called by each number and name at other sites.
        schedules: by id.
        locations: by id.
        callback_minutes: for so long a call to the number of a location rings the phone that called for help there.
        numbers: what calls from gateways are sent to, by each way to write their number.
        default_location_id: where a phone is that has no location of its own.
        zone: the site's time zone.
        colleagues: who is in a pickup group with a user, by the user's id.
        speed_dials: the site's, by slot.
        screening: which calls from gateways are not taken.
        blocked: whose; see `callers.plain`.
        outside_lines: what people dial for an outside line.
        names: whose numbers are in the phonebook.
        hot_desk_hours: how long somebody stays logged in at another's phone; 0: until he logs out.
        call_back_minutes: how long somebody who asked for it is called back.
        has_voicemail: whether mailboxes are reached at all, so that they take what nobody answers.
    """

    candidates: dict[str, tuple[Candidate, ...]]
    prefix_lengths: tuple[int, ...]
    users: dict[str, User]
    dialled: dict[str, User]
    groups: dict[str, HuntGroup] = field(default_factory=dict)
    services: dict[str, VoiceService] = field(default_factory=dict)
    attendants: dict[str, User] = field(default_factory=dict)
    user_rooms: UserConferences | None = None
    emergency: dict[str, tuple[EmergencyRule, str]] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    locations: dict[str, EmergencyLocation] = field(default_factory=dict)
    numbers: dict[str, InwardNumber] = field(default_factory=dict)
    default_location_id: str | None = None
    callback_minutes: int = 0
    zone: tzinfo = UTC
    colleagues: dict[str, tuple[str, ...]] = field(default_factory=dict)
    speed_dials: dict[str, SpeedDial] = field(default_factory=dict)
    screening: Screening = field(default_factory=Screening)
    blocked: frozenset[str] = frozenset()
    outside_lines: tuple[str, ...] = ()
    names: Names = field(default_factory=Names)
    hot_desk_hours: int = 0
    call_back_minutes: int = 30
    has_voicemail: bool = False

    def room_of(self, dialled: str) -> tuple[UserConferences, User] | None:
        """Whose conference room a number is; None: nobody's."""
        rooms = self.user_rooms
        if rooms is None or not dialled.startswith(rooms.extension):
            return None
        extension = dialled[len(rooms.extension) :]
        owner = self.dialled.get(extension)
        return (rooms, owner) if owner is not None and owner.enabled and owner.extension == extension else None

    def as_dialled(self, shown: str) -> str:
        """What to dial for a number that a caller showed: itself, or with an outside line before it.

        Args:
            shown: a name of the site, or a number.
        """
        if shown in self.dialled or self._leads_somewhere(shown):
            return shown
        return next((line + shown for line in self.outside_lines if self._leads_somewhere(line + shown)), shown)

    def _leads_somewhere(self, dialled: str) -> bool:
        return any(
            isinstance(one.rule, OutsideRule) and matches(one.pattern, dialled) for one in self.candidates_for(dialled)
        )

    def candidates_for(self, dialled: str) -> Sequence[Candidate]:
        """What may match, in order: one dictionary read for each length that prefixes have."""
        found: Sequence[Candidate] = ()
        lists = 0
        for length in self.prefix_lengths:
            if length > len(dialled):
                break
            more = self.candidates.get(dialled[:length])
            if more is not None:
                found = [*found, *more] if lists else more
                lists += 1
        return sorted(found, key=_place) if lists > 1 else found


def _place(candidate: Candidate) -> tuple[int, int]:
    return candidate.place


def compile_plan(snapshot: Snapshot) -> CompiledPlan:
    """The tables of one snapshot; names in it are unique, which `Snapshot` has checked."""
    plan = snapshot.dial_plan
    dialled: dict[str, User] = {}
    for user in snapshot.users:
        dialled[user.username] = user
        if user.extension:
            dialled[user.extension] = user
        dialled.update(dict.fromkeys(user.aliases, user))
    candidates = _candidates(tuple(one for one in plan.rules if one.enabled and not isinstance(one, EmergencyRule)))
    return CompiledPlan(
        candidates=candidates,
        prefix_lengths=tuple(sorted({len(prefix) for prefix in candidates})),
        users={user.user_id: user for user in snapshot.users},
        dialled=dialled,
        groups={name: group for group in plan.hunt_groups for name in (group.extension, *group.aliases)},
        services={name: one for one in plan.voice_services if one.enabled for name in one.names},
        attendants={one.user_id: one for service in plan.voice_services for one in payers(service)},
        user_rooms=next((one for one in plan.voice_services if isinstance(one, UserConferences) and one.enabled), None),
        emergency=_emergency(snapshot),
        gateways={
            gateway.gateway_id: gateway
            for gateway in (*plan.gateways, *plan.trunks, *_site_links(snapshot))
            if gateway.enabled
        },
        elsewhere=_elsewhere(snapshot),
        schedules={schedule.schedule_id: schedule for schedule in plan.schedules},
        callback_minutes=plan.emergency.callback_minutes,
        locations={location.location_id: location for location in plan.locations},
        numbers=_numbers(plan.numbers),
        default_location_id=plan.default_location_id,
        zone=zone_of(snapshot.site.time_zone),
        colleagues=_colleagues(plan.pickup_groups),
        speed_dials={one.slot: one for one in plan.speed_dials},
        screening=plan.screening,
        blocked=frozenset(filter(None, map(plain, plan.screening.blocked))),
        names=Names(snapshot.phonebook),
        hot_desk_hours=plan.hot_desk_hours,
        call_back_minutes=plan.call_back_minutes,
        outside_lines=tuple(
            dict.fromkeys(
                rule.prefix for rule in plan.rules if isinstance(rule, EmergencyRule) and rule.enabled and rule.prefix
            )
        ),
        has_voicemail=any(isinstance(rule, VoicemailRule) and rule.enabled for rule in plan.rules),
    )


def _site_links(snapshot: Snapshot) -> Iterator[SiteLink]:
    for site in snapshot.other_sites:
        for edge in site.edges:
            yield SiteLink(
                gateway_id=edge.edge_id,
                name=site.name,
                host=edge.host,
                port=edge.port,
                transport="tls",
                qualify_seconds=LINK_SECONDS,
                site_id=site.site_id,
                certificate_name=site.certificate_name,
            )


def _numbers(numbers: tuple[InwardNumber, ...]) -> dict[str, InwardNumber]:
    """Another way to write a number does not count where it is one itself, or belongs to an earlier one."""
    found = {number.number: number for number in numbers}
    for number in numbers:
        for other in number.also:
            found.setdefault(other, number)
    return found


def _elsewhere(snapshot: Snapshot) -> dict[str, Elsewhere]:
    """Names that two sites have belong to the first of them."""
    found: dict[str, Elsewhere] = {}
    for site in snapshot.other_sites:
        links = tuple(edge.edge_id for edge in site.edges)
        for colleague in site.colleagues:
            who = Elsewhere(site.name, links, colleague)
            for name in colleague.dialled:
                found.setdefault(name, who)
    return found


def _colleagues(groups: tuple[PickupGroup, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for group in groups:
        for member in group.members:
            found[member].update(dict.fromkeys(one for one in group.members if one != member))
    return {user_id: tuple(others) for user_id, others in found.items()}


def _emergency(snapshot: Snapshot) -> dict[str, tuple[EmergencyRule, str]]:
    """What is dialled for help: by the rules, and the country's and site's numbers that no rule names, by any way out.

    A rule none of whose gateways is switched on goes out by any, too.
    """
    plan = snapshot.dial_plan
    ways = tuple(one.gateway_id for one in (*plan.gateways, *plan.trunks) if one.enabled)
    rules = [rule for rule in plan.rules if isinstance(rule, EmergencyRule) and rule.enabled]
    named = {number for rule in rules for number in rule.numbers}
    unnamed = tuple(number for number in snapshot.site.sip.numbers_for_help if number not in named)
    if ways and unnamed:
        lines = tuple(dict.fromkeys(("", *(rule.prefix for rule in rules))))
        rules += [
            EmergencyRule(rule_id="emergency", name="Emergency, without a rule", numbers=unnamed, prefix=line)
            for line in lines
        ]
    found: dict[str, tuple[EmergencyRule, str]] = {}
    for rule in reversed(rules):
        whole = rule if set(ways).intersection(rule.gateways) else rule.model_copy(update={"gateways": ways})
        found.update({prefix + number: (whole, number) for number in rule.numbers for prefix in ("", rule.prefix)})
    return found


def _candidates(rules: tuple[OrderedRule, ...]) -> dict[str, tuple[Candidate, ...]]:
    found: dict[str, list[Candidate]] = defaultdict(list)
    for place, rule in enumerate(rules):
        patterns: tuple[DialPattern, ...]
        match rule:
            case InternalRule() | SiteToSiteRule():
                patterns = (DialPattern(),)
            case ServiceRule():
                patterns = (DialPattern(prefix=rule.code, digits=0),)
            case FeatureRule():
                patterns = (DialPattern(prefix=rule.code),)
            case VoicemailRule():
                patterns = (
                    *((DialPattern(prefix=rule.code, digits=0),) if rule.code else ()),
                    *((DialPattern(prefix=rule.prefix),) if rule.prefix else ()),
                )
            case OutsideRule():
                patterns = rule.patterns
        for number, pattern in enumerate(patterns):
            found[pattern.prefix].append(Candidate((place, number), rule, pattern))
    return {prefix: tuple(candidates) for prefix, candidates in found.items()}


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; one that is not known here is UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def matches(pattern: DialPattern, dialled: str) -> bool:
    """Whether a number fits a pattern: the beginning, then the wanted count of digits."""
    prefix = pattern.prefix
    if not dialled.startswith(prefix):
        return False
    rest = len(dialled) - len(prefix)
    if pattern.digits is not None and rest != pattern.digits:
        return False
    return rest == 0 or (dialled[len(prefix) :].isdigit() and dialled.isascii())


def called_number(call: CallPattern, pattern: DialPattern, dialled: str) -> str:
    """The number that is called for one that matched."""
    match call.keep:
        case "all":
            return call.prefix + dialled
        case "variable":
            return call.prefix + dialled[len(pattern.prefix) :]
        case "nothing":
            return call.prefix
