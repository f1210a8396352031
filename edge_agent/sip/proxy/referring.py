"""What a REFER is let do at the proxy: who asks, may he go there himself, and what it makes of the call (RFC 3515)."""

from __future__ import annotations

from contract.dialplan import Call, Walk
from edge_agent.clock import Clock
from edge_agent.sip.answering import PROVEN
from edge_agent.sip.config import SipConfig
from edge_agent.sip.message import Flow, Message, escaped_user
from edge_agent.sip.proxy.calls import Calls, LiveCall
from edge_agent.sip.proxy.forking import Answered
from edge_agent.sip.proxy.local_state import LocalState
from edge_agent.sip.proxy.pickup import may_pick_up
from edge_agent.sip.proxy.referrals import OF_SERVICE, NotAllowed, Referrals, attendant_of, referred_to
from edge_agent.sip.proxy.referrals import check as check_decision
from edge_agent.sip.proxy.routes import OwnAddresses
from edge_agent.sip.proxy.transfers import asked_for
from edge_agent.sip.trunk_groups import SERVED_USER
from edge_agent.sip.trust import Trust


class Referring:
    """Decides over REFERs.

    Args:
        config: of the site.
        own: names of this edge.
        calls: that go on.
        local: what routing goes by that the edge itself knows.
        clock: for the dial plan.
        referrals: writes and reads vouchers.
        trust: who is a voice service.
    """

    def __init__(
        self,
        config: SipConfig,
        own: OwnAddresses,
        calls: Calls,
        local: LocalState,
        clock: Clock,
        referrals: Referrals,
        trust: Trust,
    ) -> None:
        self._config, self._own, self._calls, self._local = config, own, calls, local
        self._clock, self._referrals, self._trust = clock, referrals, trust

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._config = config

    def leads_to_trunks(self, flow: Flow) -> bool:
        """Whether the trunks' user agent is there."""
        return (flow.host, flow.port) == self._config.trunks_at

    def is_voice_service(self, flow: Flow) -> bool:
        """Whether a voice service of this site is there."""
        return self._trust.is_service(flow) and not self.leads_to_trunks(flow)

    def within(self, request: Message, call: LiveCall, flow: Flow, now: float) -> Answered | None:
        """A REFER within a call, on its way to `flow`; what is to be done when it is accepted.

        Raises:
            NotAllowed: its sender may not go where it leads.
            SipError: it is malformed.
        """
        referrer = call.talkers(request.from_tag)[0].user_id
        if request.from_tag != call.caller_tag and call.service_id in self._config.plan.attendants:
            referrer = OF_SERVICE + call.service_id
            if proven := request.get(PROVEN):
                referrer += f":{proven.decode('ascii', 'replace')}"
        request.remove(PROVEN)
        if self.is_voice_service(request.flow) and (named := referred_to(request)) is not None:
            # What an agent of a queue asked for: he pays, wherever the call came from.
            referrer = self._referrals.passed_on(named) or referrer
        try:
            self.check(request, referrer, vouch=not self.leads_to_trunks(flow))
            if self.leads_to_trunks(flow) and not self.is_voice_service(request.flow):
                self._check_joining(request, call, referrer)
        except NotAllowed as refused:
            who = call.talkers(request.from_tag)[0].name
            call.told(f"transfer_refused: {who} may not pass the call on to {refused.where} ({refused.reason})")
            raise
        self._sign(request, flow, referrer)
        if self.is_voice_service(flow):
            return None  # it calls nobody, but passes it on
        transfer = self._calls.transfers.referred(request, call, flow, now)
        if transfer is None:
            return None

        def accepted(response: Message, when: float) -> None:
            del response, when
            transfer.accepted = True

        return accepted

    def check(self, request: Message, referrer: str | None, *, vouch: bool) -> None:
        """Who sends another somewhere has to be allowed there himself, and pays for it; see `referrals`.

        Args:
            request: a REFER.
            referrer: the user who sent it, or `OF_SERVICE` and an attendant's id; None: somebody from outside, who may
                send nobody out.
            vouch: whether the phone that is sent there calls by this proxy.

        Raises:
            NotAllowed: he is not.
            SipError: it is malformed.
        """
        target = referred_to(request)
        if target is None or not self._own.are(target):
            return
        service = attendant_of(referrer)
        asked = Call(None if service else referrer, target.dialled, service=service)
        self._check_call(asked)
        if vouch and referrer is not None and not target.headers:
            self._referrals.vouch(request, target, referrer)

    def _check_call(self, asked: Call) -> None:
        state = self._local.of(self._config.state)
        check_decision(Walk(self._config.plan, state, asked, self._clock.now()).decision, asked.dialled)

    def _check_joining(self, request: Message, call: LiveCall, referrer: str | None) -> None:
        """Two calls of trunks are to be joined, which the trunks' user agent does without another INVITE.

        Whoever asks for it talks to both, or may pick up calls of who does. Where the site called, and not he, he has
        to be allowed to call there; what he placed himself was checked then, maybe with a code.

        Raises:
            NotAllowed: he may not.
        """
        asked = asked_for(request)
        other = self._calls.named(asked[1]) if asked is not None else None
        if other is None or other is call:
            return
        flows = [flow for flow in (other.caller_flow, other.callee_flow) if flow is not None]
        if not any(self.leads_to_trunks(flow) for flow in flows):
            return
        users = [end.user_id for end in (other.calling, other.called) if end.user_id is not None]
        may = any(flow.source == request.flow.source for flow in flows)
        if users:
            may = referrer is not None and any(may_pick_up(self._config.plan, referrer, whose) for whose in users)
        if not may:
            outside = next((end.name for end in (other.calling, other.called) if end.user_id is None), "")
            raise NotAllowed(outside)
        for one in (call, other):
            if one.opened.caller_user_id not in (None, referrer):
                self._check_call(Call(referrer, one.opened.callee))

    def _sign(self, request: Message, flow: Flow, referrer: str | None) -> None:
        """Tell the trunks' user agent, which calls whom a transfer leads to, whose permissions count."""
        request.remove(SERVED_USER)
        plan = self._config.plan
        user = self._config.users.get(referrer or "") or plan.attendants.get(attendant_of(referrer) or "")
        if user is not None and self.leads_to_trunks(flow):
            domain = self._config.domain.encode()
            request.append(b"P-Served-User", b"<sip:" + escaped_user(user.username) + b"@" + domain + b">")
