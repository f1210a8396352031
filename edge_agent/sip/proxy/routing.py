"""Where a request of the site goes: the dial plan is asked, again after each step that failed."""

from __future__ import annotations

from dataclasses import replace

from contract.dialplan import Call, Decision, Outcome, Reject, Ring, Service, decide
from edge_agent.clock import Clock
from edge_agent.sip.config import SipConfig
from edge_agent.sip.gruu import gruu_of
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import BadMessage, Message, NameAddr, SipError, Uri
from edge_agent.sip.proxy.forking import Fork, Target
from edge_agent.sip.proxy.routes import OwnAddresses
from edge_agent.sip.resolver import flow_to

_MAX_STEPS = 20
"""A dial plan that goes on for ever is stopped here."""


_MAX_REDIRECTIONS = 5


class Routing:
    """The steps of one request; the `Policy` of its fork.

    Args:
        config: of the site, as it was when the request came: a call in progress keeps its plan.
        location: bindings.
        clock: the dial plan knows schedules.
        call: who dialled what.
        own: tells targets of the site from others.
        gruu: the `gr` of the Request-URI: one phone of the user only (RFC 5627 §5.1); empty: all.
    """

    __slots__ = ("_call", "_clock", "_config", "_dialled", "_gruu", "_location", "_outcomes", "_own")

    def __init__(
        self, config: SipConfig, location: Location, clock: Clock, call: Call, own: OwnAddresses, gruu: bytes = b""
    ) -> None:
        self._config = config
        self._location = location
        self._clock = clock
        self._call = call
        self._own = own
        self._gruu = gruu
        self._dialled = {call.dialled}
        self._outcomes: list[Outcome] = []

    def decide(self, now: float) -> tuple[Decision, list[Target]]:
        """The next step that can be carried out, with its targets; none for a Reject.

        Steps that lead nowhere (no contact, no such service) count as failed and are passed over.
        """
        while True:
            moment = self._clock.now()
            decision = decide(self._config.plan, self._config.state, self._call, self._outcomes, moment)
            targets = self._targets(decision, now)
            if targets or isinstance(decision.step, Reject):
                return decision, targets
            if len(self._outcomes) >= _MAX_STEPS:
                return Decision(Reject(480, ""), decision.reasons), []
            self._outcomes.append(Outcome(480))

    def next_step(self, fork: Fork, status: int, now: float) -> bool:
        """See `Policy`."""
        self._outcomes.append(Outcome(status))
        decision, targets = self.decide(now)
        step = decision.step
        if fork.call is not None:
            fork.call.decided(decision.reasons, callee_of(decision))
        if isinstance(step, Reject):
            if step.status == status:
                return False
            fork.answer(step.status, step.phrase.encode(), now)
            return True
        if len(self._outcomes) > _MAX_STEPS:
            return False
        fork.start(targets, now)
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
            config, call = self._config, Call(self._call.caller, uri.dialled)
            decision = decide(config.plan, config.state, call, (), self._clock.now())
            targets = self._targets(decision, now)
            if targets:
                self._call = call
                self._outcomes = []
                if fork.call is not None:
                    fork.call.decided(decision.reasons, callee_of(decision))
                fork.start(targets, now)
                return True
        return False

    def _targets(self, decision: Decision, now: float) -> list[Target]:
        step = decision.step
        if isinstance(step, Ring):
            bindings = [b for user_id in step.user_ids for b in self._location.of_user(user_id, now)]
            if self._gruu:
                bindings = [one for one in bindings if gruu_of(one.instance) == self._gruu]
            found = _by_phone(bindings)
            return found[: self._config.limits.branches]
        if isinstance(step, Service):
            uri = self._config.services.get(step.name)
            if uri is None:
                return []
            try:
                parsed = Uri.parse(uri.encode())
                return [Target(parsed.text, flow_to(parsed), trusted=True)]
            except (BadMessage, SipError):
                return []
        return []


def _contacts_of(response: Message) -> list[Uri]:
    """Where a response points, as far as it can be read: what cannot be must not stop the call."""
    try:
        return [NameAddr.parse(value, "Contact").uri for value in response.values(b"contact")]
    except BadMessage:
        return []


def _by_phone(bindings: list[Binding]) -> list[Target]:
    """One target for each phone; a phone with several flows gets the newest, and the others if that fails."""
    if not any(one.reg_id for one in bindings):
        return [Target(b.contact, b.flow, b.q, route=b.path) for b in bindings]
    phones: dict[object, list[Binding]] = {}
    for one in bindings:
        phones.setdefault((one.user_id, one.instance) if one.reg_id else one, []).append(one)
    found: list[Target] = []
    for flows in phones.values():
        flows.reverse()
        flows.sort(key=lambda one: -one.q)
        first, *rest = [Target(b.contact, b.flow, b.q, route=b.path) for b in flows]
        found.append(replace(first, others=tuple(rest)))
    return found


def callee_of(decision: Decision) -> str | None:
    """The user whom a step rings, when it is one."""
    step = decision.step
    return step.user_ids[0] if isinstance(step, Ring) and len(step.user_ids) == 1 else None
