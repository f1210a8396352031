"""The proxy core: what becomes of each request (RFC 3261 §16.3–§16.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol
from zlib import crc32

from contract.dialplan import Call, Reject, Service, Walk
from edge_agent.clock import Clock
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.gruu import Gruus, gruu_of
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.lockout import Silence
from edge_agent.sip.message import (
    BadMessage,
    DropReason,
    Flow,
    Message,
    NameAddr,
    Refused,
    SipError,
    Uri,
    escaped_user,
    response_bytes,
)
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.overload import Overload
from edge_agent.sip.proxy.admission import Admission, Challenged
from edge_agent.sip.proxy.answering import remove_wishes
from edge_agent.sip.proxy.calls import Calls, LiveCall
from edge_agent.sip.proxy.emergency import Emergencies
from edge_agent.sip.proxy.emergency_calls import CallerForHelp, EmergencyCalls
from edge_agent.sip.proxy.forking import Fork, Target
from edge_agent.sip.proxy.identity import ASSERTED, Identities, is_private, shown_by
from edge_agent.sip.proxy.local_state import LocalState
from edge_agent.sip.proxy.names import Shown, from_phonebook
from edge_agent.sip.proxy.pickup import Ringer, may_pick_up
from edge_agent.sip.proxy.reach import Reach
from edge_agent.sip.proxy.referrals import VOUCHER, Referrals, referred_to
from edge_agent.sip.proxy.referrals import check as check_transfer
from edge_agent.sip.proxy.routes import OwnAddresses, Proof, RouteBook
from edge_agent.sip.proxy.routing import Routing, Wrote, callee_of, seconds_of
from edge_agent.sip.proxy.session_timers import METHODS, IntervalTooSmall, SessionTimer, timed
from edge_agent.sip.proxy.telephone import as_sip, bare
from edge_agent.sip.resolver import flow_for
from edge_agent.sip.transaction import InviteServer, TransactionLayer
from edge_agent.sip.trunk_groups import SERVED_USER, served_user_of, trunk_of
from edge_agent.sip.trust import Trust

ALLOW: Final = (
    b"INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE, PUBLISH"
)
_REGISTER_EXTENSIONS: Final = frozenset({b"path", b"outbound", b"gruu"})
_EVENTS: Final = frozenset({b"SUBSCRIBE", b"PUBLISH"})
_EVENT_EXTENSIONS: Final = {b"SUBSCRIBE": frozenset({b"eventlist"}), b"PUBLISH": frozenset[bytes]()}
_RECORD_ROUTED: Final = frozenset({b"INVITE", b"REFER", b"NOTIFY"})

Register = Callable[[Message, float], None]
"""Takes a REGISTER for us and answers it."""


class EventServer(Protocol):
    """Takes what belongs to events of this edge (RFC 6665, RFC 3903)."""

    @property
    def names(self) -> tuple[bytes, ...]:
        """Event packages that can be subscribed to."""
        ...

    def arrived(self, request: Message, caller: str | None, now: float) -> None:
        """A SUBSCRIBE or PUBLISH to us; answers it."""
        ...


class ProxyCore:
    """The transaction user of the edge.

    Args:
        own: names of this edge.
        routes: Record-Route and Route.
        admission: who may send.
        location: bindings.
        calls: records.
        register: the registrar's door.
        clock: for the dial plan.
        config: of the site.
        drops: counted by reason.
        overload: whether new dialogs are turned away.
        gruus: names of single phones.
        local: what routing goes by that the edge itself knows.
        wrote: keeps what users change by feature codes.
        trust: who needs no digest and may say who calls.
        emergency_calls: told of calls for help.
        referrals: whose permissions a transfer goes by.
    """

    def __init__(
        self,
        own: OwnAddresses,
        routes: RouteBook,
        admission: Admission,
        location: Location,
        calls: Calls,
        register: Register,
        clock: Clock,
        config: SipConfig,
        drops: Counter[DropReason],
        overload: Overload,
        gruus: Gruus,
        local: LocalState,
        wrote: Wrote,
        trust: Trust,
        emergency_calls: EmergencyCalls,
        referrals: Referrals,
    ) -> None:
        self._emergency_calls = emergency_calls
        self._own = own
        self._routes = routes
        self._admission = admission
        self._location = location
        self._trust = trust
        self._referrals = referrals
        self._reach = Reach(own, routes, location, calls, config, trust)
        self._identities = Identities(config, trust)
        self._calls = calls
        self._register = register
        self._clock = clock
        self._config = config
        self._drops = drops
        self._overload = overload
        self._gruus = gruus
        self._local = local
        self._wrote = wrote
        self._emergencies = Emergencies(config)
        self._layer: TransactionLayer
        self._events: EventServer

    def attach(self, layer: TransactionLayer, events: EventServer) -> None:
        """The layer that this core stands on, and its neighbour on it; once, before anything arrives."""
        self._layer = layer
        self._events = events
        layer.headroom = self._emergencies.headroom

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration from here on; calls in progress go on."""
        self._config = config
        self._trust.configure(config)
        self._reach.configure(config)
        self._identities.configure(config)
        self._emergencies.configure(config)
        self._emergency_calls.configure(config)
        self._local.configure(config)
        self._calls.limits = config.limits

    # -- the transaction user

    def request_arrived(self, request: Message, now: float) -> None:
        """See `TransactionUser`."""
        try:
            self._route(request, now)
        except Challenged as challenge:
            self._layer.reply(request, challenge.status, b"", challenge.headers)
        except Silence:
            return
        except (Unsupported, Shed, IntervalTooSmall) as answer:
            self._answer(request, answer.status, b"", answer.headers, now)
        except (BadMessage, Refused) as counted:
            self._drops[counted.drop] += 1
            self._answer(request, counted.status, counted.reason.encode(), [], now)
        except SipError as error:
            self._answer(request, error.status, error.reason.encode(), [], now)

    def _answer(self, request: Message, status: int, reason: bytes, headers: list[RawHeader], now: float) -> None:
        """Answer without state, unless its address, which may be forged, had enough answers for now."""
        if not self._trust.covers(request.flow):
            try:
                self._admission.answering(request.flow, now)
            except Silence:
                return
        self._layer.reply(request, status, reason, headers)

    def ack_arrived(self, request: Message, now: float) -> None:
        """See `TransactionUser`: the ACK of a 2xx goes its way without state, within dialogs that we know only."""
        del now
        try:
            proof = self._routes.take_own(request)
            if proof is None:
                self._drops[DropReason.STRAY_ACK] += 1
                return
            hops = self._hops(request)
            if hops <= 0:
                raise SipError(483, "Too Many Hops")
            hop, flow = self._next_hop(request)
            self._reach.check_in_dialog(request, hop, flow, proof)
        except SipError:
            self._drops[DropReason.UNROUTABLE_ACK] += 1
            return
        request.set(b"Max-Forwards", b"%d" % (hops - 1))
        self._layer.forward(request, flow)

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        """See `TransactionUser`."""
        fork = transaction.user
        if isinstance(fork, Fork):
            fork.cancel(now)

    # -- what becomes of a request

    def _route(self, request: Message, now: float) -> None:
        method = request.method
        if method == b"CANCEL":
            raise SipError(481, "Call/Transaction Does Not Exist")
        uri = request.request_uri()
        if uri.scheme == b"tel":
            helped = self._emergencies.is_call(request, uri)
            uri = Uri(self._own.domain, bare(uri)) if helped else as_sip(uri, self._own.domain, self._own.domains)
            request.set_uri(uri.text)
        if uri.scheme != b"sip" and not self._emergencies.is_call(request, uri):
            raise SipError(416, "Unsupported URI Scheme")
        proof = self._routes.take_own(request)
        routed = request.has(b"route")
        uri = request.request_uri()
        ours = not routed and self._own.are(uri)
        if self._hops(request) <= 0 and not (ours and method in (b"OPTIONS", b"REGISTER") and not uri.user):
            raise SipError(483, "Too Many Hops")
        # What ends here goes round nowhere.
        loop_mark = b"" if ours and method == b"REGISTER" else self._loop_mark(request)
        if self._emergencies.is_call(request, uri):
            line = self._admission.known(request)
            caller = self._local.desks.user_of(line) if line is not None else None
            self._remove_own_credentials(request)
            self._identities.settle_emergency(request, caller)
            for_help = self._emergency_calls.caller_of(request)
            self._place(request, caller, line, self._emergencies.dialled(uri), loop_mark, now, for_help)
            return
        self._refuse_extensions(request, b"proxy-require")
        if proof is not None and request.to_tag:
            self._forward_in_dialog(request, proof, loop_mark, now)
        elif ours and method == b"REGISTER":
            self._refuse_extensions(request, b"require", _REGISTER_EXTENSIONS)
            self._register(request, now)
        elif ours and not uri.user:
            self._answer_for_ourselves(request, now)
        else:
            self._forward_new(request, uri, ours, loop_mark, now)

    def _forward_in_dialog(self, request: Message, proof: Proof, loop_mark: bytes, now: float) -> None:
        """Within a dialog that was let through: straight on, by Route or Request-URI."""
        hop, flow = self._next_hop(request)
        self._reach.check_in_dialog(request, hop, flow, proof)
        if request.method == b"REFER" and (call := self._calls.of_dialog(request)) is not None:
            opened = call.opened
            referrer = opened.caller_user_id if request.from_tag == call.key[1] else opened.callee_user_id
            self._check_transfer(request, referrer, not self._leads_to_trunks(flow))
            self._sign_transfer(request, flow, referrer)
        timer = self._session_timer(request)
        if request.method == b"BYE":
            self._calls.hung_up(request)
        transaction = self._layer.accept(request)
        if request.method == b"INVITE":
            transaction.respond(100, response_bytes(request, 100), now)
        self._remove_own_credentials(request)
        if request.has(ASSERTED) and not self._identities.is_trusted(request.flow):
            request.remove(ASSERTED)
        target = Target(None, flow, trusted=self._identities.is_trusted(flow))
        private = request.has(ASSERTED) and is_private(request)
        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            private=private,
            timer=timer,
            session=self._calls.of_dialog(request) if request.method in METHODS else None,
        ).start([target], now)

    def _check_transfer(self, request: Message, referrer: str | None, vouch: bool) -> None:
        """Who sends another somewhere has to be allowed there himself, and pays for it; see `referrals`.

        Args:
            request: a REFER.
            referrer: the user who sent it; None: somebody from outside, who may send nobody out.
            vouch: whether the phone that is sent there calls by this proxy.
        """
        target = referred_to(request)
        if target is None or not self._own.are(target):
            return
        config = self._config
        asked = Call(referrer, target.dialled)
        check_transfer(Walk(config.plan, self._local.of(config.state), asked, self._clock.now()).decision)
        if vouch and referrer is not None and not target.headers:
            self._referrals.vouch(request, target, referrer)

    def _sign_transfer(self, request: Message, flow: Flow, referrer: str | None) -> None:
        """Tell the trunks' user agent, which calls whom a transfer leads to, whose permissions count."""
        request.remove(SERVED_USER)
        user = self._config.users.get(referrer or "")
        if user is not None and self._leads_to_trunks(flow):
            domain = self._config.domain.encode()
            request.append(b"P-Served-User", b"<sip:" + escaped_user(user.username) + b"@" + domain + b">")

    def _leads_to_trunks(self, flow: Flow) -> bool:
        return (flow.host, flow.port) == self._config.trunks_at

    def _forward_new(self, request: Message, uri: Uri, ours: bool, loop_mark: bytes, now: float) -> None:
        """A request of its own: who sent it, may they, where to."""
        overload = self._overload
        if overload.shedding and not (overload.by_strangers and self._admission.is_proven(request.flow)):
            self._drops[DropReason.SHED] += 1
            raise Shed(self._overload.retry_after())
        line = self._admission.sending(request)
        caller = None
        method = request.method
        if line is not None:
            # What a phone watches and publishes is its own user's business, whoever is logged in there.
            caller = line.user_id if method in _EVENTS else self._local.desks.user_of(line)
        self._remove_own_credentials(request)
        self._identities.settle(request, caller)
        if method == b"INVITE" and self._calls.has_too_many(caller):
            self._drops[DropReason.TOO_MANY_INVITES] += 1
            raise Shed(self._overload.retry_after())
        if method == b"INVITE" and caller is not None and (ringer := self._local.pickups.replaced(request)) is not None:
            if not may_pick_up(self._config.plan, caller, ringer.party.user_id):
                raise SipError(403, "Forbidden")
            self._pick_up(request, ringer, caller, loop_mark, now)
            return
        if method == b"REFER":
            self._check_transfer(request, caller, vouch=True)
        if not ours:
            request.remove(VOUCHER)
            self._relay(request, loop_mark, now)
            return
        if method in _EVENTS:
            self._refuse_extensions(request, b"require", _EVENT_EXTENSIONS[request.method])
            self._events.arrived(request, caller, now)
            return
        if b"gr" in uri.params:
            uri = self._gruus.resolved(uri, now)
            request.set_uri(uri.text)
        self._place(request, caller, line, uri.dialled, loop_mark, now)

    def _place(
        self,
        request: Message,
        caller: str | None,
        line: Credential | None,
        dialled: str,
        loop_mark: bytes,
        now: float,
        for_help: CallerForHelp | None = None,
    ) -> None:
        """A request that was let in goes where the dial plan says."""
        method = request.method
        gruu = request.request_uri().params.get(b"gr") or b""
        gateway_id = None
        if caller is None:
            gateway_id = self._config.gateways.at(request.flow) or self._trust.site_at(request.flow)
        private = is_private(request)
        number, anonymous = ("", private) if caller is not None else shown_by(request)
        payer = caller
        if request.has(VOUCHER):
            # A phone that somebody sent here: his permissions count, the caller stays who he is.
            referrer = self._referrals.referrer(request, dialled)
            if caller is not None and referrer in self._config.users:
                payer = referrer
        if self._config.trunks_at is not None:
            served = served_user_of(request)
            if caller is None and self._leads_to_trunks(request.flow):
                gateway_id = trunk_of(request) or None
                user = self._config.plan.dialled.get(served.dialled) if served is not None else None
                if user is not None:
                    # A call of the trunk that one of our users transfers: he pays, and what he dialled is his.
                    payer, gateway_id = user.user_id, None
        asked = Call(
            payer,
            dialled,
            location_id=for_help.location_id if for_help is not None else None,
            gateway_id=gateway_id,
            number=number,
            anonymous=anonymous or private,
            line_id=line.line_id if line is not None else None,
            host=line.user_id if line is not None else None,
        )
        if method == b"INVITE" and (self._leads_to_trunks(request.flow) or not self._trust.is_service(request.flow)):
            remove_wishes(request)
        shown: Shown | None = None
        if method == b"INVITE":
            if caller is None:
                shown = None if asked.anonymous else from_phonebook(request, number, self._config.plan)
            elif line is not None and caller != line.user_id:
                shown = self._local.desks.shown(caller)
        routing = Routing(
            self._config,
            self._clock,
            self._local,
            self._wrote,
            asked,
            self._own,
            shown,
            gruu,
            method == b"INVITE",
        )
        decision, targets = routing.decide(now)
        step = decision.step
        if routing.ringer is not None and caller is not None:
            self._pick_up(request, routing.ringer, caller, loop_mark, now)
            return
        timer = self._session_timer(request)
        call: LiveCall | None = None
        if method == b"INVITE" and not request.to_tag:
            named = request.uri_of(b"from").dialled
            if line is not None and caller is not None and caller != line.user_id:
                named = self._config.users[caller].username
            callee = callee_of(decision)
            call = self._calls.open(request, named, dialled, caller, decision.reasons, callee, private, now)
            if for_help is not None:
                self._emergency_calls.called(request, for_help, dialled, call)
        transaction = self._layer.accept(request)
        if method == b"INVITE":
            transaction.respond(100, response_bytes(request, 100), now)
        fork = Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            policy=routing,
            call=call,
            record_route=method in _RECORD_ROUTED,
            private=private,
            serial_seconds=self._config.serial_ring_seconds,
            unreachable_status=503 if isinstance(step, Service) else 480,
            timer=timer,
        )
        if isinstance(step, Reject):
            fork.answer(step.status, step.phrase.encode(), now)
        else:
            fork.start(targets, now, seconds_of(decision))

    def _pick_up(self, request: Message, ringer: Ringer, user_id: str, loop_mark: bytes, now: float) -> None:
        """A user takes a call that rings elsewhere; see `pickup`."""
        pickups, call, who = self._local.pickups, ringer.call, self._config.users[user_id].username
        way = pickups.way_to_caller(ringer)
        timer = self._session_timer(request)
        transaction = self._layer.accept(request)
        if way is None:
            text = b"Your Phone Is Called Instead"
            transaction.respond(480, response_bytes(request, 480, text, to_tag=transaction.tag), now)
            if ringer.fork.join(pickups.phones_of(user_id, request, now), now):
                call.told(f"pickup: {who} is called to take the call")
            return
        transaction.respond(100, response_bytes(request, 100), now)
        request.remove(b"replaces")

        def answered(response: Message, when: float) -> None:
            call.picked_up(user_id, who, request, response, request.flow, when)

        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            record_route=True,
            private=is_private(request),
            timer=timer,
            session=call,
            answered=answered,
        ).start([way], now)

    def _relay(self, request: Message, loop_mark: bytes, now: float) -> None:
        """Past the dial plan: to a phone of the site itself (as a transfer asks for), or where the dial plan allows."""
        hop, flow = self._next_hop(request)
        if not (self._leads_to_trunks(flow) and self._takes_a_place(request)):
            self._reach.check_new(hop, flow)
        timer = self._session_timer(request)
        transaction = self._layer.accept(request)
        if request.method == b"INVITE":
            transaction.respond(100, response_bytes(request, 100), now)
        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            record_route=request.method in _RECORD_ROUTED,
            private=is_private(request) or not self._location.knows_host(flow.host),
            timer=timer,
        ).start([Target(None, flow, trusted=self._identities.is_trusted(flow))], now)

    def _takes_a_place(self, request: Message) -> bool:
        """Whether an INVITE takes the place of a leg of a call in progress (RFC 3891), whose way was decided."""
        call_id = (request.get(b"replaces") or b"").partition(b";")[0].strip()
        return request.method == b"INVITE" and bool(call_id) and self._calls.has(call_id)

    def _answer_for_ourselves(self, request: Message, now: float) -> None:
        """A request to the edge itself."""
        if request.method == b"OPTIONS":
            self._refuse_extensions(request, b"require")
            headers: list[RawHeader] = [
                (b"Allow", ALLOW),
                (b"Accept", b"application/sdp"),
                (b"Supported", b"path, outbound, gruu, eventlist"),
            ]
            headers.append((b"Allow-Events", b", ".join(self._events.names)))
            self._answer(request, 200, b"", headers, now)
        elif request.to_tag and request.method == b"SUBSCRIBE":
            # Within a dialog that our own tag, which nobody can guess, proves.
            self._refuse_extensions(request, b"require", _EVENT_EXTENSIONS[request.method])
            self._events.arrived(request, None, now)
        elif request.to_tag:
            raise SipError(481, "Call/Transaction Does Not Exist")
        else:
            self._answer(request, 405, b"", [(b"Allow", ALLOW)], now)

    # -- parts

    def _session_timer(self, request: Message) -> SessionTimer | None:
        config = self._config
        if request.method not in METHODS or not (config.session_expires or config.min_session_expires):
            return None
        return timed(request, config)

    def _next_hop(self, request: Message) -> tuple[Uri, Flow]:
        """The way to the topmost Route, or to the Request-URI (§16.6 steps 6 and 7).

        A phone that is registered is reached the way that its registration found: through its connection or NAT.
        """
        if request.has(b"route"):
            hop = request_route(request)
            if b"lr" not in hop.params:
                _suit_strict_router(request, hop)
            return hop, flow_for(hop)
        uri = request.request_uri()
        binding = self._location.at_contact(uri.text)
        if binding is not None:
            return uri, binding.flow
        if self._own.are(uri):
            if b"gr" not in uri.params:
                raise SipError(404, "Not Found")
            binding = self._phone_of(self._gruus.resolved(uri, self._clock.monotonic()))
            request.set_uri(binding.contact)
            for value in reversed(binding.path):
                request.insert(request.index(b"via") + 1, b"Route", value)
            return binding.uri, binding.flow
        return uri, flow_for(uri)

    def _phone_of(self, uri: Uri) -> Binding:
        """The phone whose GRUU this is, newest flow first.

        Raises:
            SipError: it is not registered (RFC 5627 §5.1).
        """
        user = self._config.plan.dialled.get(uri.dialled)
        now = self._clock.monotonic()
        bindings = self._location.of_user(user.user_id, now) if user is not None else []
        found = [one for one in bindings if one.instance and gruu_of(one.instance) == uri.params[b"gr"]]
        if not found:
            raise SipError(480, "Temporarily Unavailable")
        return found[-1]

    def _hops(self, request: Message) -> int:
        value = request.get(b"max-forwards")
        return 70 if value is None else int(value)

    def _refuse_extensions(self, request: Message, name: bytes, understood: frozenset[bytes] = frozenset()) -> None:
        """What has to be understood by us and is not (§16.3 step 5, §8.2.2.3)."""
        if request.has(name):
            wanted = [one for one in request.values(name) if one.lower() not in understood]
            if wanted:
                raise Unsupported(b", ".join(wanted))

    def _loop_mark(self, request: Message) -> bytes:
        """What tells a loop from a spiral (§16.3 step 4, RFC 5393 §4.2.1): the same request, decided the same way.

        Raises:
            SipError: 482, this very request went through here before.
        """
        parts = [request.uri, request.from_tag, request.to_tag, request.call_id, b"%d" % request.cseq[0]]
        if request.has(b"route"):
            parts += request.all(b"route")
        mark = b"%08x" % crc32(b"\0".join(parts))
        if not self._layer.was_here(request):
            return mark
        for value in request.values(b"via"):
            at = value.find(b"branch=")
            branch = value[at + 7 :].partition(b";")[0]
            if self._layer.is_own_branch(branch) and branch.endswith(b"." + mark):
                raise SipError(482, "Loop Detected")
        return mark

    def _remove_own_credentials(self, request: Message) -> None:
        """What was proven here is nobody else's business (§22.3)."""
        if not request.has(b"proxy-authorization"):
            return
        own = b'realm="' + self._config.realm.encode() + b'"'
        for at in range(len(request.lines) - 1, 0, -1):
            if request.names[at] == b"proxy-authorization" and own in request.lines[at]:
                request.remove_at(at)


class Shed(SipError):
    """A new dialog that is turned away because too much arrives, or because its caller waits for too many."""

    def __init__(self, retry_after: bytes) -> None:
        super().__init__(503, "Service Unavailable")
        self.headers: list[RawHeader] = [(b"Retry-After", retry_after)]


class Unsupported(SipError):
    """An extension was required that is not understood here."""

    def __init__(self, wanted: bytes) -> None:
        super().__init__(420, "Bad Extension")
        self.headers: list[RawHeader] = [(b"Unsupported", wanted)]


def _suit_strict_router(request: Message, hop: Uri) -> None:
    """A router of RFC 2543 wants itself in the Request-URI and the real one last in Route (§16.6 step 6)."""
    routes = request.values(b"route")[1:]
    request.remove(b"route")
    for value in (*routes, b"<" + request.uri + b">"):
        request.append(b"Route", value)
    request.set_uri(hop.text)


def request_route(request: Message) -> Uri:
    """The URI of the topmost Route."""
    return NameAddr.parse(request.values(b"route")[0], "Route").uri
