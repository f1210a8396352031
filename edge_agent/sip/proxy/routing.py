"""Where a request of the site goes: the dial plan is walked, one step further after each that failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from contract.dialplan import (
    Call,
    Change,
    Decision,
    Diversion,
    Outcome,
    Outward,
    Pickup,
    Reason,
    Reject,
    Ring,
    Service,
    Walk,
)
from contract.dialplan.simulate import MAX_STEPS
from contract.snapshot import SiteLink, Trunk
from edge_agent.clock import Clock
from edge_agent.sip.answering import ANSWER_AT_ONCE, is_browser
from edge_agent.sip.config import SipConfig
from edge_agent.sip.gateways import HIDDEN, CallerId, caller_id_of, uri_at, way_to
from edge_agent.sip.gruu import gruu_of
from edge_agent.sip.location import Binding
from edge_agent.sip.message import BadMessage, Flow, Message, NameAddr, SipError, Uri, escaped_user
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.proxy.appearances import Appearances
from edge_agent.sip.proxy.calls import CallKey
from edge_agent.sip.proxy.dispatchable import LocationObject, pidf_lo
from edge_agent.sip.proxy.diversion import Diverted
from edge_agent.sip.proxy.forking import Fork
from edge_agent.sip.proxy.local_state import LocalState
from edge_agent.sip.proxy.names import Shown
from edge_agent.sip.proxy.pickup import Ringer
from edge_agent.sip.proxy.routes import OwnAddresses
from edge_agent.sip.proxy.shared_calls import appearance_headers
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.resolver import flow_to
from edge_agent.sip.trunk_groups import user_at

Wrote = Callable[[dict[str, str | bool]], None]
_MAX_REDIRECTIONS = 5
_NO_WAY = 503
"""Said by the plan where nothing was reached, it is the site's own and true of the next call, too (RFC 3261 §16.7)."""
FIRST_RESPONSE_SECONDS = 2.0
"""How long a gateway has for its first response before the next one is tried."""
FIRST_RESPONSE_OF_A_NAME_SECONDS = 5.0
"""The same for one that is given by name, behind which there may be several addresses."""


class Routing:
    """The steps of one request; the `Policy` of its fork.

    Args:
        config: of the site, as it was when the request came: a call in progress keeps its plan.
        clock: the dial plan knows schedules.
        local: what routing goes by that the edge itself knows.
        wrote: keeps what users change by feature codes.
        call: who dialled what.
        own: tells targets of the site from others.
        shown: who calls, where From does not say it; None: it does.
        gruu: the `gr` of the Request-URI: one phone of the user only (RFC 5627 §5.1); empty: all.
        is_call: whether hunt groups count it.
        ids: Call-ID and From tag of the INVITE.
        for_browsers: whether its session description is for browsers, and other phones are to make the offer.
    """

    __slots__ = (
        "_call",
        "_clock",
        "_config",
        "_dialled",
        "_for_browsers",
        "_gruu",
        "_ids",
        "_is_call",
        "_local",
        "_own",
        "_shown",
        "_walk",
        "_wrote",
        "ringer",
    )

    def __init__(
        self,
        config: SipConfig,
        clock: Clock,
        local: LocalState,
        wrote: Wrote,
        call: Call,
        own: OwnAddresses,
        shown: Shown | None = None,
        gruu: bytes = b"",
        is_call: bool = True,
        ids: CallKey = (b"", b""),
        for_browsers: bool = False,
    ) -> None:
        self._config = config
        self._clock = clock
        self._local = local
        self._wrote = wrote
        self._call = call
        self._own = own
        self._shown = shown
        self._gruu = gruu
        self._is_call = is_call
        self._ids = ids
        self._for_browsers = for_browsers
        self._dialled = {call.dialled}
        self.ringer: Ringer | None = None
        """The call to be picked up, where the step is that."""
        self._walk = self._begun(call)

    def _begun(self, call: Call) -> Walk:
        config = self._config
        return Walk(config.plan, self._local.of(config.state), call, self._clock.now())

    def decide(self, now: float) -> tuple[Decision, list[Target]]:
        """The step to be carried out now, with its targets; none for a Reject.

        Steps that lead nowhere (no contact, no such service) count as failed and are passed over; the reasons are those
        of all of them.
        """
        decision = self._walk.decision
        reasons, hunted = decision.reasons, decision.hunted
        for _ in range(MAX_STEPS):
            step = decision.step
            targets = self._targets(decision, now)
            if targets or isinstance(step, Reject):
                break
            if isinstance(step, Pickup) and self._is_call:
                self.ringer = self._local.pickups.ringing_at(step.user_ids)
                if self.ringer is not None:
                    break
            outcome = self._changed(step) if isinstance(step, Change) else _nowhere(decision)
            decision = self._walk.after(outcome)
            reasons += decision.reasons
            hunted += decision.hunted
        else:
            decision = Decision(Reject(480, ""), ())
        if hunted and self._is_call:
            self._local.hunting.came_to(hunted)
        if self._is_call and isinstance(decision.step, Ring) and not decision.step.hidden and not self._call.anonymous:
            self._local.last_callers.called(decision.step.user_ids, self._caller_shown())
        return Decision(decision.step, reasons), targets

    def _caller_shown(self) -> str:
        """What phones show of who calls."""
        caller = self._config.users.get(self._call.caller) if self._call.caller is not None else None
        return self._call.number if caller is None else caller.extension or caller.username

    def next_step(self, fork: Fork, status: int, reached: bool, now: float) -> bool:
        """See `Policy`."""
        if isinstance(self._walk.decision.step, Reject):
            return False
        self._walk.after(Outcome(status, reached))
        decision, targets = self.decide(now)
        step = decision.step
        if fork.call is not None:
            reasons = (ended(status, reached), *decision.reasons)
            fork.call.decided(reasons, callee_of(decision), service_of(decision))
        if isinstance(step, Reject):
            if step.status == status and (reached or status != _NO_WAY):
                return False
            fork.answer(step.status, step.phrase.encode(), now)
            return True
        fork.start(targets, now, seconds_of(decision))
        return True

    def redirected(self, fork: Fork, response: Message, now: float) -> bool:
        """See `Policy`: a phone's 302 is followed to users of the site only, each once (§16.5, §16.7 step 4).

        What it points to beyond the site goes up to the caller, whose own call that would be.
        """
        for uri in _contacts_of(response)[:_MAX_REDIRECTIONS]:
            if not self._own.are(uri) or uri.dialled in self._dialled or len(self._dialled) > _MAX_REDIRECTIONS:
                continue
            self._dialled.add(uri.dialled)
            self._gruu = uri.params.get(b"gr") or b""
            again = replace(self._call, dialled=uri.dialled, gateway_id=self._site(), service=None)
            before, self._walk = self._walk, self._begun(again)
            decision, targets = self.decide(now)
            if targets:
                if fork.call is not None:
                    fork.call.decided(decision.reasons, callee_of(decision), service_of(decision))
                fork.start(targets, now, seconds_of(decision))
                return True
            self._walk = before
        return False

    def _site(self) -> str | None:
        """The other site that the call came from; None: from none."""
        came = self._config.plan.gateways.get(self._call.gateway_id or "")
        return came.gateway_id if isinstance(came, SiteLink) else None

    def _targets(self, decision: Decision, now: float) -> list[Target]:
        step = decision.step
        if isinstance(step, Ring):
            if step.called_back:
                return self._called_back(step.called_back, now)
            found = [target for user_id in step.user_ids for target in self._phones(user_id, now)]
            if step.hidden or step.answered_at_once:
                found = [self._particular(one, step) for one in found]
            if step.numbers:
                found = [*(way for one in step.numbers if (way := self._outward(one)) is not None), *found]
            if step.diversions:
                found = [self._diverted(one, step.diversions) for one in found]
            if self._shown is not None:
                found = [self._named(one, self._shown) for one in found]
            if self._for_browsers:
                found = [one if is_browser(one.uri or b"", one.flow) else self._asked(one) for one in found]
            if self._is_call and (appearances := self._local.appearances):
                found = self._at_appearances(appearances, found)
            return found[: self._config.limits.branches]
        if isinstance(step, Service):
            target = self._service(step.name, step.arguments)
            if target is None:
                return []
            return [self._diverted(target, step.diversions) if step.diversions else target]
        return []

    def _service(self, name: str, arguments: tuple[tuple[str, str], ...]) -> Target | None:
        """A voice service of the site; None: there is none."""
        uri = self._config.services.get(name)
        if uri is None:
            return None
        try:
            parsed = Uri.parse(uri.encode() + _parameters(arguments))
            return Target(parsed.text, flow_to(parsed), trusted=True)
        except (BadMessage, SipError):
            return None

    def _at_appearances(self, appearances: Appearances, found: list[Target]) -> list[Target]:
        """Phones of shared lines are told at which appearance they ring; those of a line without any are left out."""
        appearances.let_go(self._ids)
        lines = {one.user_id for one in found if appearances.count(one.user_id)}
        indexes = {user_id: appearances.ring(user_id, self._ids) for user_id in lines if user_id is not None}
        kept: list[Target] = []
        for one in found:
            index = indexes.get(one.user_id or "")
            if index is None:
                kept.append(one)
            elif index:
                kept.append(self._with_headers(one, appearance_headers(index, self._config.domain)))
        return kept

    def _with_headers(self, target: Target, headers: tuple[RawHeader, ...]) -> Target:
        others = tuple(self._with_headers(one, headers) for one in target.others)
        return replace(target, headers=(*target.headers, *headers), others=others)

    def _called_back(self, elin: str, now: float) -> list[Target]:
        """The phones that called for help from a place: where they are registered now, else where they called from."""
        phones = self._local.callbacks.ways(elin, now)
        return [Target(one.contact, one.flow, route=one.route, user_id=one.user_id) for one in phones]

    def _phones(self, user_id: str, now: float) -> list[Target]:
        """The phones at which a user is reached, each as his."""
        bindings = self._local.desks.phones_of(user_id, now)
        if self._gruu:
            bindings = [one for one in bindings if gruu_of(one.instance) == self._gruu]
        found = _by_phone(bindings)
        if all(one.user_id == user_id for one in bindings):
            return found
        return [replace(one, user_id=user_id) for one in found]

    def _named(self, target: Target, shown: Shown) -> Target:
        """A target that is shown who calls, where From does not say it."""
        if shown.inside_only and target.user_id is None:
            return target
        told = target.caller_id or CallerId(None, None, private=False)
        if told.shown is None:
            told = replace(told, shown=shown.address)
        return replace(target, caller_id=told, others=tuple(self._named(one, shown) for one in target.others))

    def _asked(self, target: Target) -> Target:
        """A phone that is to make the offer."""
        return replace(target, asked=True, others=tuple(self._asked(one) for one in target.others))

    def _particular(self, target: Target, step: Ring) -> Target:
        """A phone that is not told who calls, or is to answer by itself; its other flows likewise."""
        return replace(
            target,
            caller_id=HIDDEN if step.hidden else None,
            headers=ANSWER_AT_ONCE if step.answered_at_once else (),
            others=tuple(self._particular(one, step) for one in target.others),
        )

    def _diverted(self, target: Target, diversions: tuple[Diversion, ...]) -> Target:
        """A target that is told how the call came there."""
        domain = self._config.domain.encode()
        user = self._config.users.get(target.user_id) if target.user_id is not None else None
        reached = b"sip:" + escaped_user(user.username) + b"@" + domain if user is not None else target.uri
        return replace(
            target,
            diverted=Diverted(diversions, domain, reached or b""),
            others=tuple(self._diverted(one, diversions) for one in target.others),
        )

    def _changed(self, change: Change) -> Outcome:
        """A user dialled a feature code; what is no call changes nothing."""
        if not self._is_call:
            return Outcome(405, reached=False)
        self._wrote({f"{kind}/{change.owner_id}": value for kind, value in change.values})
        return Outcome(200)

    def _outward(self, outward: Outward) -> Target | None:
        """A number at a gateway, or what asks for a key there; None: this edge has no user agent for that."""
        if (asked := outward.confirmed) is not None:
            told = (("user", asked.user_id), ("number", asked.dialled), ("seconds", str(asked.seconds)))
            return self._service("find_me", told)
        gateway = self._config.plan.gateways[outward.gateway_id]
        if isinstance(gateway, Trunk):
            return self._by_trunk(gateway, outward)
        if isinstance(gateway, SiteLink):
            return self._by_site(gateway, outward)
        flow = way_to(gateway)
        seconds = FIRST_RESPONSE_OF_A_NAME_SECONDS if flow.connection < 0 else FIRST_RESPONSE_SECONDS
        return Target(
            uri_at(gateway, outward.number).text,
            flow,
            trusted=gateway.trusted,
            caller_id=caller_id_of(gateway, outward, self._config.domain),
            place=self._place(outward, self._config.domain),
            first_response_seconds=seconds,
            gateway_id=gateway.gateway_id if gateway.trusted else None,
        )

    def _place(self, outward: Outward, domain: str) -> LocationObject | None:
        """Where a call for help comes from, for a gateway that wants to know; in names of this domain."""
        place = self._config.plan.locations.get(outward.location_id or "")
        if place is None:
            return None
        entity = f"sip:{escaped_user(place.caller_id).decode()}@{domain}"
        at = self._clock.now()
        name = f"{round(at.timestamp() * 1_000_000):x}@{domain}".encode()
        return LocationObject(name, pidf_lo(place, entity, at))

    def _by_trunk(self, trunk: Trunk, outward: Outward) -> Target | None:
        """A number at a trunk: by its user agent, which answers at once and knows itself how long to wait."""
        there = self._config.trunks_at
        if there is None:
            return None
        host, port = there
        domain = self._config.domain
        uri = Uri(host.encode(), user_at(outward.number, trunk.gateway_id, domain), port)
        flow = Flow("udp", host, port)
        # What its user agent passes on names the site to nobody.
        place = self._place(outward, trunk.domain or trunk.host)
        return Target(uri.text, flow, trusted=True, caller_id=caller_id_of(trunk, outward, domain), place=place)

    def _by_site(self, link: SiteLink, outward: Outward) -> Target:
        """Somebody at another site: its edge, which has to prove by its certificate that it is that site's."""
        domain = self._config.domain
        uri = Uri(domain.encode(), escaped_user(outward.number))
        flow = Flow("tls", link.host, link.port, name=link.certificate_name)
        shown = caller_id_of(link, outward, domain)
        return Target(uri.text, flow, trusted=True, caller_id=shown, first_response_seconds=FIRST_RESPONSE_SECONDS)


def _parameters(arguments: tuple[tuple[str, str], ...]) -> bytes:
    """What a service is told, in its URI."""
    return "".join(f";{name}={quote(value, safe='')}" for name, value in arguments).encode()


def _contacts_of(response: Message) -> list[Uri]:
    """Where a response points, as far as it can be read: what cannot be must not stop the call."""
    try:
        return [NameAddr.parse(value, "Contact").uri for value in response.values(b"contact")]
    except BadMessage:
        return []


def _by_phone(bindings: list[Binding]) -> list[Target]:
    """One target for each phone; a phone with several flows gets the newest, and the others if that fails."""
    if not any(one.reg_id for one in bindings):
        return [Target(b.contact, b.flow, b.q, route=b.path, user_id=b.user_id) for b in bindings]
    phones: dict[object, list[Binding]] = {}
    for one in bindings:
        phones.setdefault((one.user_id, one.instance) if one.reg_id else one, []).append(one)
    found: list[Target] = []
    for flows in phones.values():
        flows.reverse()
        flows.sort(key=lambda one: -one.q)
        first, *rest = [Target(b.contact, b.flow, b.q, route=b.path, user_id=b.user_id) for b in flows]
        found.append(replace(first, others=tuple(rest)))
    return found


def _nowhere(decision: Decision) -> Outcome:
    """What stands for a step that there is nothing to send to for."""
    step = decision.step
    nobody = isinstance(step, Pickup) or (isinstance(step, Ring) and step.user_ids)
    return Outcome(480 if nobody else 503, reached=False)


def seconds_of(decision: Decision) -> int | None:
    """How long a step may ring; None: as long as the caller waits."""
    return decision.step.seconds if isinstance(decision.step, Ring) else None


def ended(status: int, reached: bool) -> Reason:
    """How a step ended, for the story of a call."""
    return Reason("ended", f"that ended with {status}" if reached else f"nothing there answered ({status})")


def callee_of(decision: Decision) -> str | None:
    """The user whom a step rings, when it is one."""
    step = decision.step
    return step.user_ids[0] if isinstance(step, Ring) and len(step.user_ids) == 1 else None


def service_of(decision: Decision) -> str:
    """The id of the voice service that a step leads to, where it has a number of its own."""
    return dict(decision.step.arguments).get("service", "") if isinstance(decision.step, Service) else ""
