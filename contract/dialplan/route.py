"""The way of one call through the dial plan, as a generator: it yields steps and is sent how each ended.

Each part returns the status that the caller gets when nothing further is tried.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from contract.dialplan.callers import is_among, plain
from contract.dialplan.compiled import CompiledPlan, called_number, matches
from contract.dialplan.feature_calls import feature_call
from contract.dialplan.features import names_of
from contract.dialplan.find_me import beyond_the_site, ring
from contract.dialplan.groups import hunt
from contract.dialplan.numbers import arrived, written
from contract.dialplan.other_sites import is_link, site_call
from contract.dialplan.payers import may
from contract.dialplan.queue_calls import called_back
from contract.dialplan.schedules import period_at
from contract.dialplan.service_calls import is_for_users_only, music_arguments, service_step
from contract.dialplan.steps import (
    DECLINED,
    MAX_FORWARDS,
    Call,
    Diversion,
    DiversionReason,
    Outcome,
    Outward,
    Reason,
    Ring,
    Service,
    SiteState,
    Step,
)
from contract.dialplan.voicemail import HAS_MAILBOX, mailbox_of, voicemail
from contract.snapshot import (
    DialPattern,
    During,
    EmergencyRule,
    FeatureRule,
    Forwarding,
    InternalRule,
    OutsideRule,
    ServiceRule,
    SiteToSiteRule,
    User,
    VoicemailRule,
    VoiceService,
)

Way = Generator[Step, Outcome, int]

_PHRASES: Final = {
    403: "Forbidden",
    404: "Not Found",
    433: "Anonymity Disallowed",
    482: "Loop Detected",
    484: "Address Incomplete",
    486: "Busy Here",
    503: "Service Unavailable",
    603: "Decline",
}
_BUSY: Final = frozenset({486, 600})
_FORWARDED: Final[dict[DiversionReason, str]] = {
    "unconditional": "every call",
    "user-busy": "calls while busy",
    "do-not-disturb": "calls while busy",
    "no-answer": "calls that are not answered",
    "unavailable": "calls while no phone is registered",
}
_NEXT_GATEWAY: Final = frozenset({408, 430, 500, 502, 503, 504})
"""Failures of the way, not of who is called."""


def phrase_of(status: int) -> str:
    """The reason phrase of a rejection; empty: the usual one, or that of the response that is passed on."""
    return _PHRASES.get(status, "")


class Route:
    """One call.

    Args:
        plan, state, call, at: as for `decide`.
    """

    __slots__ = (
        "_forwards",
        "at",
        "call",
        "caller",
        "came_from_site",
        "diversions",
        "entered",
        "hidden",
        "hunted",
        "hunting",
        "plan",
        "reasons",
        "state",
    )

    def __init__(self, plan: CompiledPlan, state: SiteState, call: Call, at: datetime) -> None:
        self.plan = plan
        self.state = state
        self.call = call
        self.at = at
        self.caller = plan.users.get(call.caller) if call.caller is not None else None
        self.came_from_site = is_link(self, call.gateway_id)
        self.entered: list[str] = []
        """Users and hunt groups whose forwarding is being followed, by id."""
        self._forwards = 0
        self.diversions: list[Diversion] = []
        self.hidden: bool | None = None
        """Whether the call shows nobody, where the caller said so; None: as the user's settings have it."""
        self.reasons: list[Reason] = []
        self.hunted: list[str] = []
        """Ids of the hunt groups that were come to."""
        self.hunting = 0
        """Hunt groups whose members are being rung."""

    def walk(self) -> Way:
        """From what was dialled to the last attempt."""
        dialled, caller = self.call.dialled, self.caller
        if self.call.phones == "find_me":
            return (yield from self._sought(dialled))
        if self.call.phones == "call_back":
            return (yield from called_back(self, dialled))
        if (found := self.plan.emergency.get(dialled)) is not None:
            return (yield from self._emergency(*found))
        if caller is not None and not caller.enabled:
            return self.refuse(403, "caller_disabled", f"{caller.username} is disabled")
        if self.call.phones:
            return (yield from self.phones(dialled))
        if self.call.service is not None:
            return (yield from self._sent_on(self.call.service, dialled))
        if self.call.gateway_id is not None:
            return (yield from self._inward(self.call.gateway_id, dialled))
        return (yield from self.number(dialled, caller))

    def phones(self, dialled: str) -> Way:
        """What a voice service of the site rings: a user's phones and nothing else, wherever he has calls sent."""
        user = self.plan.dialled.get(dialled)
        if user is None or not user.enabled:
            return self.refuse(404, "no_user", f"{dialled} is no user of the site")
        how = self.call.phones
        if how != "urgent" and (reason := self.unwanted(user)):
            return self.refuse(486, "unwanted", reason)
        if how == "page" and user.user_id in self.state.no_intercom:
            return self.refuse(403, "intercom_off", f"{user.username} wants no intercom")
        if how == "page" and self.call.engaged:
            return self.refuse(486, "unwanted", f"{user.username} is in a call")
        self.note("ring", f"a service of the site rings every phone of {user.username}")
        outcome = yield replace(self.rung([user.user_id], (), None), answered_at_once=how in ("page", "urgent"))
        return self.exhausted(outcome.status)

    def _sought(self, dialled: str) -> Way:
        """What asks for a key calls a place beyond the site, as its user's find-me."""
        user = self.caller
        found = beyond_the_site(self, user, dialled) if user is not None and user.enabled else None
        if user is None or found is None:
            return self.refuse(403, "find_me_skipped", f"nobody may be looked for at {dialled}")
        self.diversions.append(Diversion(user.username, "follow-me"))
        outcome = yield self.rung((), (found,), None)
        return self.exhausted(outcome.status)

    def _sent_on(self, service_id: str, dialled: str) -> Way:
        """A caller whom an attendant sends on: as if it dialled itself."""
        attendant = self.plan.attendants.get(service_id)
        if attendant is None:
            return self.refuse(403, "attendant_gone", "the attendant is not there any more, or switched off")
        self.note("attendant", f"{attendant.display_name} sends the caller on to {dialled}")
        return (yield from self.number(dialled, attendant))

    def _inward(self, gateway_id: str, dialled: str) -> Way:
        """A call that came by a gateway: to what its number stands for, which whoever set that up may."""
        gateway = self.plan.gateways.get(gateway_id)
        number = arrived(gateway.incoming, dialled) if gateway is not None else dialled
        self.note("inward", f"{number} is called by {gateway.name if gateway is not None else gateway_id}")
        for elin in self.state.called_for_help:
            if is_among(number, [plain(elin)]):
                self.note("emergency_callback", f"somebody called for help from the place of {elin} not long ago")
                yield Ring((), called_back=elin)
        if self.plan.screening.reject_anonymous and self.call.anonymous:
            return self.refuse(433, "anonymous_rejected", "the site takes no call from who is not named")
        if is_among(self.call.number, self.plan.blocked):
            return self.refuse(603, "blocked", f"the site takes no call from {self.call.number}")
        found = self.plan.numbers.get(number)
        if found is None:
            return (yield from self.number(number, None))
        self.note("inward_number", f"{number} stands for {found.destination}")
        return (yield from self.number(found.destination, None, granted=True))

    # -- what a number means

    def number(self, dialled: str, payer: User | None, granted: bool = False) -> Way:
        """The first rule that matches decides; `payer` is whose permissions count, unless everything is `granted`."""
        plan = self.plan
        for candidate in plan.candidates_for(dialled):
            rule = candidate.rule
            match rule:
                case InternalRule():
                    if (user := plan.dialled.get(dialled)) is not None:
                        self.note("internal", f"{rule.name}: the number belongs to {user.username}", rule.rule_id)
                        return (yield from self.user(user))
                    if (group := plan.groups.get(dialled)) is not None and group.enabled:
                        self.note("hunt_group", f"{rule.name}: the number belongs to {group.name}", rule.rule_id)
                        return (yield from hunt(self, group))
                    if (service := plan.services.get(dialled)) is not None:
                        return (yield from self._voice_service(service, dialled, rule, payer, granted))
                    if (room := plan.room_of(dialled)) is not None:
                        return (yield from self._voice_service(room[0], dialled, rule, payer, granted, room[1]))
                case ServiceRule():
                    if rule.code == dialled:
                        return (yield from self._service(rule, payer, granted))
                case FeatureRule():
                    return (yield from self._feature(rule, dialled, payer))
                case VoicemailRule():
                    is_own = payer is self.caller and not self.entered
                    if (mailbox := mailbox_of(rule, plan, dialled, payer, is_own)) is not None:
                        return (yield from self._voicemail(rule, *mailbox))
                case OutsideRule():
                    pattern = candidate.pattern
                    if matches(pattern, dialled) and self.is_time(rule.during, rule.name, rule.rule_id):
                        return (yield from self.outside(rule, pattern, dialled, payer, granted))
                case SiteToSiteRule():
                    if (found := plan.elsewhere.get(dialled)) is not None:
                        return (yield from site_call(self, rule, found, dialled, payer, granted))
                case _:
                    assert_never(rule)
        return self.refuse(404, "no_rule", f"no dialing rule matches {dialled}")

    def _service(self, rule: ServiceRule, payer: User | None, granted: bool) -> Way:
        self.note("service", f"{rule.name}: {rule.code} is the service {rule.service}", rule.rule_id)
        if rule.permission is not None and not granted and not may(payer, (rule.permission,)):
            return self.refuse(
                403, "permission_missing", f"{_who(payer)} lacks the permission {rule.permission}", rule.rule_id
            )
        outcome = yield Service(rule.service, music_arguments(self.caller) if rule.service == "music_on_hold" else ())
        return self.exhausted(outcome.status)

    def _voice_service(
        self,
        service: VoiceService,
        dialled: str,
        rule: InternalRule,
        payer: User | None,
        granted: bool,
        owner: User | None = None,
    ) -> Way:
        whose = f", that of {owner.username}" if owner is not None else ""
        self.note("voice_service", f"{rule.name}: the number belongs to {service.name}{whose}", rule.rule_id)
        wanted = service.permission
        if wanted is not None and not granted and not may(payer, (wanted,)):
            return self.refuse(403, "permission_missing", f"{_who(payer)} lacks the permission {wanted}", rule.rule_id)
        if payer is None and is_for_users_only(service):
            return self.refuse(403, "users_only", f"{service.name} is for users of the site only", rule.rule_id)
        step = service_step(service, dialled, self.caller, payer, owner)
        outcome = yield replace(step, diversions=tuple(self.diversions))
        return self.exhausted(outcome.status)

    def _feature(self, rule: FeatureRule, dialled: str, payer: User | None) -> Way:
        """What is the caller's own to do: only himself, and only what he dialled himself."""
        self.note("feature", f"{rule.name}: {dialled} is the feature {rule.feature}", rule.rule_id)
        if payer is None or payer is not self.caller or self.entered:
            return self.refuse(403, "feature_refused", "only a user of the site does that, by dialling", rule.rule_id)
        if rule.permission is not None and not may(payer, (rule.permission,)):
            return self.refuse(
                403, "permission_missing", f"{payer.username} lacks the permission {rule.permission}", rule.rule_id
            )
        return (yield from feature_call(self, rule, dialled[len(rule.code) :], payer))

    def dialled_again(self, destination: str, caller: User) -> Way:
        """As if the caller had dialled something else; more than ten times in one call is taken for a loop."""
        if self.is_sent_on_too_often():
            return self.refuse(482, "forward_loop", f"sent on more than {MAX_FORWARDS} times")
        if (found := self.plan.emergency.get(destination)) is not None:
            return (yield from self._emergency(*found))
        return (yield from self.number(destination, caller))

    def _voicemail(self, rule: VoicemailRule, action: str, owner: User | None) -> Way:
        if owner is None or not owner.enabled or HAS_MAILBOX not in owner.permissions:
            return self.refuse(404, "no_mailbox", f"{_who(owner)} has no mailbox", rule.rule_id)
        self.note("voicemail", f"{rule.name}: the mailbox of {owner.username}", rule.rule_id)
        outcome = yield voicemail(action, owner, tuple(self.diversions))
        return self.exhausted(outcome.status)

    # -- users

    def user(self, user: User) -> Way:
        """A user's phones, and wherever the user has calls sent besides."""
        if not user.enabled:
            return self.refuse(404, "callee_disabled", f"{user.username} is disabled")
        if user.user_id in self.entered:
            return self.refuse(482, "forward_loop", f"the call was at {user.username} before")
        if self._blocks(user):
            return self.refuse(603, "blocked", f"{user.username} takes no call from {self._shown()[0]}")
        if self._is_nameless() and user.user_id in self.state.no_anonymous:
            return self.refuse(433, "anonymous_rejected", f"{user.username} takes no call from who is not named")
        forwarding = self.state.forwarding.get(user.user_id) or user.forwarding
        self.entered.append(user.user_id)
        try:
            return (yield from self._forwarded(user, forwarding))
        finally:
            self.entered.pop()

    def _forwarded(self, user: User, forwarding: Forwarding) -> Way:
        if forwarding.always is not None:
            return (yield from self._forward(user, forwarding.always, "forward_always", "unconditional"))
        status, reached = 486, True
        busy: DiversionReason = "user-busy"
        if user.user_id in self.state.do_not_disturb:
            self.note("do_not_disturb", f"{user.username} is not to be disturbed")
            busy = "do-not-disturb"
        elif self._wants_no_second_call(user):
            self.note("in_call", f"{user.username} is in a call and wants no second one")
        elif user.user_id in self.state.full_lines:
            self.note("line_full", f"every appearance of the line of {user.username} is taken")
        else:
            status, reached = yield from ring(self, user, forwarding)
        if status in DECLINED:
            return self.exhausted(status)
        reason: DiversionReason = "no-answer" if reached else "unavailable"
        if status in _BUSY:
            reason = busy
            if forwarding.busy is not None:
                return (yield from self._forward(user, forwarding.busy, "forward_busy", busy))
        elif not reached and forwarding.unregistered is not None:
            return (yield from self._forward(user, forwarding.unregistered, "forward_unregistered", "unavailable"))
        elif forwarding.no_answer is not None:
            return (yield from self._forward(user, forwarding.no_answer, "forward_no_answer", "no-answer"))
        return (yield from self._unanswered(user, status, reason))

    def _unanswered(self, user: User, status: int, reason: DiversionReason) -> Way:
        """Calls of a user who sends them nowhere: his mailbox takes them, if he has one and no group hunts for him."""
        if not self.has_mailbox(user):
            return self.exhausted(status)
        self.note("voicemail", f"{user.username} is not reached, and has a mailbox")
        outcome = yield voicemail("deposit", user, (*self.diversions, Diversion(user.username, reason)))
        return self.exhausted(outcome.status if outcome.reached else status)

    def has_mailbox(self, user: User) -> bool:
        return not self.hunting and self.plan.has_voicemail and HAS_MAILBOX in user.permissions

    def _forward(self, user: User, destination: str, code: str, reason: DiversionReason) -> Way:
        self.note(code, f"{user.username} forwards {_FORWARDED[reason]} to {destination}")
        if self.is_sent_on_too_often():
            return self.refuse(482, "forward_loop", f"forwarded more than {MAX_FORWARDS} times")
        self.diversions.append(Diversion(user.username, reason))
        try:
            return (yield from self.number(destination, user))
        finally:
            self.diversions.pop()

    def rung(self, user_ids: Sequence[str], numbers: tuple[Outward, ...], seconds: int | None) -> Ring:
        """The step that rings these users and numbers."""
        return Ring(
            tuple(user_ids),
            numbers,
            seconds,
            hidden=self.hidden is True,
            diversions=tuple(self.diversions),
        )

    # -- who is wanted

    def _shown(self) -> tuple[str, ...]:
        """What the caller may be known by."""
        return tuple(names_of(self.caller)) if self.caller is not None else (self.call.number,)

    def _is_nameless(self) -> bool:
        return self.call.anonymous or self.hidden is True

    def _blocks(self, user: User) -> bool:
        blocked = self.state.blocked.get(user.user_id)
        return blocked is not None and any(is_among(one, blocked) for one in self._shown())

    def _wants_no_second_call(self, user: User) -> bool:
        return user.user_id in self.state.no_second_call and user.user_id in self.state.in_call

    def unwanted(self, user: User) -> str:
        """Why a user wants no call from this caller now; empty: for no reason."""
        name, user_id = user.username, user.user_id
        if not user.enabled or user_id in self.state.do_not_disturb:
            return f"{name} is disabled or not to be disturbed"
        if self._wants_no_second_call(user):
            return f"{name} is in a call and wants no second one"
        if self._blocks(user) or (self._is_nameless() and user_id in self.state.no_anonymous):
            return f"{name} takes no call from this caller"
        return ""

    # -- beyond the site

    def outside(self, rule: OutsideRule, pattern: DialPattern, dialled: str, payer: User | None, granted: bool) -> Way:
        self.note(rule.category, f"{rule.name}: {dialled} leaves the site", rule.rule_id)
        if not granted and not may(payer, rule.permissions):
            wanted = " or ".join(rule.permissions) or "to call out"
            return self.refuse(403, "permission_missing", f"{_who(payer)} lacks the permission {wanted}", rule.rule_id)
        number = called_number(rule.call, pattern, dialled)
        return (yield from self.by_gateways(rule.gateways, number, payer, rule.rule_id))

    def by_gateways(self, gateway_ids: tuple[str, ...], number: str, payer: User | None, rule_id: str) -> Way:
        """One gateway after the other, as long as it is the way that fails."""
        status = 503
        for gateway_id in gateway_ids:
            gateway = self.plan.gateways.get(gateway_id)
            if gateway is None or gateway_id in self.state.gateways_down:
                self.note(
                    "gateway_skipped", f"gateway {gateway.name if gateway else gateway_id} is off or down", rule_id
                )
                continue
            self.note("gateway", f"{number} by {gateway.name}", rule_id)
            outcome = yield self.rung((), (self.sent_to(gateway_id, number, payer),), None)
            status = outcome.status
            if outcome.reached and status not in _NEXT_GATEWAY:
                return self.refuse(status, "refused", f"{number} answered {status}", rule_id)
        return self.refuse(status, "no_gateway", "no gateway is left to try", rule_id)

    def sent_to(self, gateway_id: str, number: str, payer: User | None) -> Outward:
        gateway = self.plan.gateways[gateway_id]
        own = None if payer is None or gateway.ignore_user_caller_id else payer.caller_id
        hides = self.hidden if self.hidden is not None else payer is not None and payer.anonymous
        caller_id = own or gateway.caller_id
        return Outward(
            gateway_id,
            gateway.prefix + written(gateway.numbers, number),
            written(gateway.numbers, caller_id) if caller_id else caller_id,
            gateway.block_caller_id or hides,
        )

    def _emergency(self, rule: EmergencyRule, number: str) -> Way:
        """Help: nothing is asked; gateways that seem to be down are tried last."""
        plan, down = self.plan, self.state.gateways_down
        location = plan.locations.get(self.call.location_id or "") or plan.locations.get(plan.default_location_id or "")
        where = f" from {location.name}" if location is not None else ""
        self.note("emergency", f"{rule.name}: {number} is called for help{where}", rule.rule_id)
        status = 503
        for gateway_id in sorted(rule.gateways, key=down.__contains__):
            if (gateway := plan.gateways.get(gateway_id)) is None:
                continue
            self.note("gateway", f"{number} by {gateway.name}", rule.rule_id)
            caller_id = location.caller_id if location is not None else gateway.caller_id
            shown = written(gateway.numbers, caller_id) if caller_id else caller_id
            place = location.location_id if location is not None and gateway.send_location else None
            outward = Outward(gateway_id, gateway.prefix + number, shown, emergency=True, location_id=place)
            outcome = yield Ring((), (outward,))
            status = outcome.status
        return self.refuse(status, "no_gateway", "no gateway is left to try", rule.rule_id)

    # -- parts

    def is_sent_on_too_often(self) -> bool:
        """Count that the call is sent on once more; whether that is so often that it is taken for a loop."""
        self._forwards += 1
        return self._forwards > MAX_FORWARDS

    def is_time(self, during: During | None, what: str, rule_id: str | None) -> bool:
        if during is None:
            return True
        schedule = self.plan.schedules[during.schedule_id]
        period = period_at(schedule, self.plan.zone, self.at)
        if period in during.periods:
            return True
        self.note("not_now", f"{what}: {schedule.name} is in {period.replace('_', ' ')}", rule_id)
        return False

    def note(self, code: str, text: str, rule_id: str | None = None) -> None:
        self.reasons.append(Reason(code, text, rule_id))

    def refuse(self, status: int, code: str, text: str, rule_id: str | None = None) -> int:
        self.note(code, text, rule_id)
        return status

    def exhausted(self, status: int) -> int:
        self.note("exhausted", f"nothing is left to try after {status}")
        return status


def _who(payer: User | None) -> str:
    return payer.username if payer is not None else "a caller from outside"
