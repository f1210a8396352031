"""The proxy core: what becomes of each request (RFC 3261 §16.3–§16.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from contract.dialplan import Reject, Service
from edge_agent.clock import Clock
from edge_agent.ports import CallRefused
from edge_agent.sip.answering import FOR_BROWSERS, VOUCHER, remove_wishes
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.gruu import Gruus
from edge_agent.sip.location import Location
from edge_agent.sip.lockout import Silence
from edge_agent.sip.message import (
    BadMessage,
    DropReason,
    Flow,
    Message,
    Refused,
    SipError,
    Uri,
    response_bytes,
)
from edge_agent.sip.message.build import RawHeader
from edge_agent.sip.overload import Overload
from edge_agent.sip.proxy.admission import Admission, Challenged
from edge_agent.sip.proxy.asking import Asking
from edge_agent.sip.proxy.calls import Calls, LiveCall
from edge_agent.sip.proxy.emergency import Emergencies
from edge_agent.sip.proxy.emergency_calls import CallerForHelp, EmergencyCalls
from edge_agent.sip.proxy.extensions import Unsupported, refuse_extensions
from edge_agent.sip.proxy.forking import Answered, Fork
from edge_agent.sip.proxy.identity import ASSERTED, Identities, is_private
from edge_agent.sip.proxy.local_state import LocalState
from edge_agent.sip.proxy.loops import loop_mark as loop_mark_of
from edge_agent.sip.proxy.media import MediaPaths, Offering
from edge_agent.sip.proxy.names import Shown, from_phonebook
from edge_agent.sip.proxy.next_hop import NextHops
from edge_agent.sip.proxy.pickup import Ringer, may_pick_up
from edge_agent.sip.proxy.reach import Reach
from edge_agent.sip.proxy.referrals import Referrals
from edge_agent.sip.proxy.referring import Referring
from edge_agent.sip.proxy.routes import OwnAddresses, Proof, RouteBook
from edge_agent.sip.proxy.routing import Routing, Wrote, callee_of, seconds_of, service_of
from edge_agent.sip.proxy.session_timers import METHODS, IntervalTooSmall, SessionTimer, timed
from edge_agent.sip.proxy.shared_calls import SharedCalls, TakeUp, appearance_of
from edge_agent.sip.proxy.target import Target
from edge_agent.sip.proxy.telephone import as_sip, bare
from edge_agent.sip.proxy.voice_dialogs import Farewell, VoiceDialogs
from edge_agent.sip.transaction import InviteServer, TransactionLayer
from edge_agent.sip.trust import Trust
from edge_agent.sip.user_agent.record_key import wanted_recording

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
        shared: calls of shared lines.
        media: which calls' media is relayed.
        voice: calls that the media engine has.
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
        shared: SharedCalls,
        media: MediaPaths,
        voice: VoiceDialogs,
    ) -> None:
        self._shared = shared
        self._media = media
        self._voice = voice
        self._emergency_calls = emergency_calls
        self._own = own
        self._routes = routes
        self._admission = admission
        self._location = location
        self._trust = trust
        self._referring = Referring(config, own, calls, local, clock, referrals, trust)
        self._asking = Asking(config, calls, referrals, self._referring, trust)
        self._next_hops = NextHops(own, location, gruus, calls, clock, config)
        self._reach = Reach(own, routes, location, calls, config, trust)
        self._identities = Identities(config, trust)
        self._calls = calls
        calls.users = config.users
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
        self._next_hops.configure(config)
        self._identities.configure(config)
        self._referring.configure(config)
        self._asking.configure(config)
        self._emergencies.configure(config)
        self._emergency_calls.configure(config)
        self._local.configure(config)
        self._shared.configure(config)
        self._media.rules = config.media
        self._voice.configure(config)
        self._calls.limits = config.limits
        self._calls.users = config.users

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
            hop, flow = self._next_hops.next_hop(request)
            self._reach.check_in_dialog(request, hop, flow, proof)
        except SipError:
            self._drops[DropReason.UNROUTABLE_ACK] += 1
            return
        request.set(b"Max-Forwards", b"%d" % (hops - 1))
        self._media.acknowledged(request)
        self._layer.forward(request, flow)

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        """See `TransactionUser`."""
        fork = transaction.user
        if isinstance(fork, Fork):
            fork.cancel(now)

    # -- what becomes of the media engine

    def engine_is(self, engine_id: str, now: float) -> None:
        """See `VoiceDialogs.engine_is`; what one that is gone rang stops ringing, and who called it is answered."""
        if not engine_id:
            self._calls.lost(self._voice.are_at, now)
        self._voice.engine_is(engine_id, self._hang_up, now)

    def _hang_up(self, bye: Message, owner: Farewell, now: float) -> None:
        """Send a BYE in the place of an engine that is gone."""
        if (call := self._calls.of_dialog(bye)) is not None:
            call.told("voice_lost: the voice service of the call ended without being asked to")
        self._calls.hung_up(bye)
        self._media.hung_up(bye)
        self._routes.take_own(bye)
        _, flow = self._next_hops.next_hop(bye)
        self._layer.request(bye, flow, owner, now)

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
        loop_mark = b"" if ours and method == b"REGISTER" else loop_mark_of(request, self._layer)
        if self._emergencies.is_call(request, uri):
            line = self._admission.known(request)
            caller = self._local.desks.user_of(line) if line is not None else None
            self._remove_own_credentials(request)
            self._identities.settle_emergency(request, caller)
            for_help = self._emergency_calls.caller_of(request)
            self._place(request, caller, line, self._emergencies.dialled(uri), loop_mark, now, for_help)
            return
        refuse_extensions(request, b"proxy-require")
        if proof is not None and request.to_tag:
            self._forward_in_dialog(request, proof, loop_mark, now)
        elif ours and method == b"REGISTER":
            refuse_extensions(request, b"require", _REGISTER_EXTENSIONS)
            self._register(request, now)
        elif ours and not uri.user:
            self._answer_for_ourselves(request, now)
        else:
            self._forward_new(request, uri, ours, loop_mark, now)

    def _forward_in_dialog(self, request: Message, proof: Proof, loop_mark: bytes, now: float) -> None:
        """Within a dialog that was let through: straight on, by Route or Request-URI."""
        hop, flow = self._next_hops.next_hop(request)
        self._reach.check_in_dialog(request, hop, flow, proof)
        if request.method == b"INFO" and self._record_key(request, flow, now):
            return
        answered: Answered | None = None
        if request.method == b"REFER" and (call := self._calls.of_dialog(request)) is not None:
            answered = self._referring.within(request, call, flow, now)
        timer = self._session_timer(request)
        self._voice.passed(request)
        if request.method == b"BYE":
            self._calls.hung_up(request)
            self._media.hung_up(request)
        transaction = self._layer.accept(request)
        if request.method == b"INVITE":
            transaction.respond(100, response_bytes(request, 100), now)
        self._remove_own_credentials(request)
        if request.has(ASSERTED) and not self._identities.is_trusted(request.flow):
            request.remove(ASSERTED)
        target = Target(None, flow, trusted=self._identities.is_trusted(flow))
        private = request.has(ASSERTED) and is_private(request)
        if request.method in METHODS and self._shared.appearances:
            answered = self._holding(request)
        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            private=private,
            timer=timer,
            session=self._calls.of_dialog(request) if request.method in METHODS else None,
            answered=answered,
            media=self._media.within(request),
            voice=self._voice if request.method in METHODS else None,
        ).start([target], now)

    def _record_key(self, request: Message, flow: Flow, now: float) -> bool:
        """Do what the record key of a phone wants; whether it is that, and ours to do.

        Of calls by trunks and to services, who is at that end does it.
        """
        wanted = wanted_recording(request)
        if wanted is None or self._trust.is_service(flow) or self._trust.is_service(request.flow):
            return False
        try:
            self._media.record_wanted(request, wanted)
        except CallRefused as refused:
            raise SipError(refused.status, refused.reason) from None
        self._answer(request, 200, b"", [], now)
        return True

    def _holding(self, request: Message) -> Answered | None:
        """What a phone of a shared line asks for holds once it is accepted."""
        found = self._shared.holding(request)
        if found is None:
            return None
        party, held, exclusive = found
        return lambda response, when: self._shared.held(party, held=held, exclusive=exclusive)

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
        if method == b"INVITE" and caller is not None and (found := self._shared.take_up(request, uri, caller)):
            self._take_up(request, found, loop_mark, now)
            return
        if method == b"REFER":
            self._referring.check(request, caller, vouch=True)
        if not ours:
            request.remove(VOUCHER)
            self._relay(request, caller, loop_mark, now)
            return
        if method in _EVENTS:
            refuse_extensions(request, b"require", _EVENT_EXTENSIONS[request.method])
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
        private = is_private(request)
        question = self._asking.question(request, caller, line, dialled, for_help, now)
        asked, transfer = question.call, question.transfer
        appearance = 0
        line_of = (
            caller if method == b"INVITE" and not request.to_tag and self._shared.appearances.count(caller) else None
        )
        if line_of is not None:
            appearance = appearance_of(request)
            if for_help is None:
                self._shared.appearances.check(line_of, appearance, request.flow.source)
        if method == b"INVITE" and not self._referring.is_voice_service(request.flow):
            remove_wishes(request)
        shown: Shown | None = None
        if method == b"INVITE":
            if caller is None:
                shown = None if asked.anonymous else from_phonebook(request, question.number, self._config.plan)
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
            (request.call_id, request.from_tag),
            for_browsers=bool(asked.phones) and FOR_BROWSERS in request.request_uri().params,
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
            if line_of is not None:
                ids = (request.call_id, request.from_tag)
                self._shared.appearances.begin(line_of, appearance, request.flow.source, ids)
            call = self._calls.open(request, named, dialled, caller, decision.reasons, callee, private, now, transfer)
            call.service_id = service_of(decision)
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
            media=self._offering(request, caller, line, call),
            voice=self._voice if method == b"INVITE" else None,
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
            media=self._offering(request, user_id, None, call),
            voice=self._voice,
        ).start([way], now)

    def _take_up(self, request: Message, found: TakeUp, loop_mark: bytes, now: float) -> None:
        """A phone of a shared line takes up a call of the line, or joins it; see `shared_calls`."""
        timer = self._session_timer(request)
        transaction = self._layer.accept(request)
        transaction.respond(100, response_bytes(request, 100), now)
        request.remove(b"replaces")
        request.remove(b"join")
        remove_wishes(request)
        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            record_route=True,
            private=is_private(request),
            timer=timer,
            session=found.call,
            answered=lambda response, when: self._shared.answered(found, request, response),
            media=self._offering(request, None, None, found.call),
            voice=self._voice,
        ).start([found.target], now)

    def _relay(self, request: Message, caller: str | None, loop_mark: bytes, now: float) -> None:
        """Past the dial plan: to a phone of the site itself (as a transfer asks for), or where the dial plan allows."""
        hop, flow = self._next_hops.next_hop(request)
        if not (self._trust.is_service(flow) and self._takes_a_place(request)):
            self._reach.check_new(hop, flow)
        timer = self._session_timer(request)
        private = is_private(request)
        uri = request.request_uri()
        binding = self._location.at_contact(uri.text)
        # By a Route of the caller's own it goes elsewhere, and whoever answers there is not known.
        user_id = binding.user_id if binding is not None and binding.flow == flow else None
        call: LiveCall | None = None
        if request.method == b"INVITE" and not request.to_tag:
            transfer = self._calls.transfers.led_to(request, caller, uri.dialled, now)
            if transfer is not None or caller is not None:
                called = self._calls.name_of(user_id) or uri.dialled
                named = self._calls.name_of(caller) or request.uri_of(b"from").dialled
                call = self._calls.open(request, named, called, caller, (), user_id, private, now, transfer)
        transaction = self._layer.accept(request)
        if request.method == b"INVITE":
            transaction.respond(100, response_bytes(request, 100), now)
        Fork(
            self._layer,
            self._routes,
            transaction,
            request,
            loop_mark=loop_mark,
            call=call,
            record_route=request.method in _RECORD_ROUTED,
            private=private or not self._location.knows_host(flow.host),
            timer=timer,
            media=self._offering(request, None, None, call),
            voice=self._voice if request.method == b"INVITE" else None,
        ).start([Target(None, flow, trusted=self._identities.is_trusted(flow), user_id=user_id)], now)

    def _takes_a_place(self, request: Message) -> bool:
        """Whether an INVITE takes the place of a leg of a call in progress (RFC 3891), whose way was decided."""
        call_id = (request.get(b"replaces") or b"").partition(b";")[0].strip()
        return request.method == b"INVITE" and bool(call_id) and self._calls.has(call_id)

    def _answer_for_ourselves(self, request: Message, now: float) -> None:
        """A request to the edge itself."""
        if request.method == b"OPTIONS":
            refuse_extensions(request, b"require")
            headers: list[RawHeader] = [
                (b"Allow", ALLOW),
                (b"Accept", b"application/sdp"),
                (b"Supported", b"path, outbound, gruu, eventlist"),
            ]
            headers.append((b"Allow-Events", b", ".join(self._events.names)))
            self._answer(request, 200, b"", headers, now)
        elif request.to_tag and request.method == b"SUBSCRIBE":
            # Within a dialog that our own tag, which nobody can guess, proves.
            refuse_extensions(request, b"require", _EVENT_EXTENSIONS[request.method])
            self._events.arrived(request, None, now)
        elif request.to_tag:
            raise SipError(481, "Call/Transaction Does Not Exist")
        else:
            self._answer(request, 405, b"", [(b"Allow", ALLOW)], now)

    # -- parts

    def _offering(
        self, request: Message, user_id: str | None, line: Credential | None, call: LiveCall | None
    ) -> Offering | None:
        """What says whether the media of a new call is relayed; None: it is no call, or nothing is."""
        if request.method != b"INVITE":
            return None
        device_id = line.device_id if line is not None else None
        gateway_id = self._config.gateways.at(request.flow) if user_id is None else None
        return self._media.offering(request, user_id, device_id, self._trust.covers(request.flow), call, gateway_id)

    def _session_timer(self, request: Message) -> SessionTimer | None:
        config = self._config
        if request.method not in METHODS or not (config.session_expires or config.min_session_expires):
            return None
        return timed(request, config)

    def _hops(self, request: Message) -> int:
        value = request.get(b"max-forwards")
        return 70 if value is None else int(value)

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
