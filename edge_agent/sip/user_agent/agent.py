"""The user agent: requests to the calls that they belong to, new calls to the media plane.

The transport hands in messages by `received`, calls `advance` when `deadline` is reached, and gets what is to be sent
through `send`, which must not wait.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

from edge_agent.clock import Clock
from edge_agent.ports import CallListener, CallRefused, MediaPlane
from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.message import (
    DEFAULT_LIMITS,
    BadMessage,
    DropReason,
    Flow,
    Limits,
    Message,
    RawHeader,
    SipError,
    Uri,
    check_request,
    check_response,
    new_request,
    parse,
    response_bytes,
)
from edge_agent.sip.message.flow import Transport
from edge_agent.sip.message.name_addr import parse_params
from edge_agent.sip.resolver import Unresolvable, flow_for
from edge_agent.sip.transaction import (
    ClientOwner,
    Finder,
    InviteServer,
    InvitingClient,
    Send,
    Timers,
    TimerWheel,
    TransactionLayer,
)
from edge_agent.sip.user_agent.asked import SDP
from edge_agent.sip.user_agent.bodies import MULTIPART, kind_of
from edge_agent.sip.user_agent.call import Call
from edge_agent.sip.user_agent.challenges import Login
from edge_agent.sip.user_agent.conversation import ALLOW, EXTENSIONS, SUPPORTED, CallState, Conversation
from edge_agent.sip.user_agent.leg import Leg, PlacedLeg
from edge_agent.sip.user_agent.outgoing import MayFollow, OutgoingCall
from edge_agent.sip.user_agent.session_timer import Refresh
from edge_agent.tokens import Tokens

_ALLOWED = frozenset(ALLOW.split(b", "))
_PLANE_CAUSES = frozenset({"caller", "local", "unacknowledged", "failed"})
_KEEP_ALIVE = b"\r\n\0 "


Admits = Callable[[Message], bool]
"""Whether a request outside of any dialog is wanted."""
Earlier = Callable[[Message, float], bool]
"""Whether a request is within a call that an earlier process had, which is over then."""


@dataclass(frozen=True, slots=True)
class UserAgentSettings:
    """What a user agent needs to know.

    Args:
        host: our numeric address, as it stands in Contact and Via.
        port: our UDP port.
        stream_ports: our port of each further transport that we speak (`tcp`, `tls`). What leads to a peer by one that
            is not here goes back the way that the peer came.
        most_calls: calls at one time, those being decided included; more get 503.
        session_expires: the session timer that we ask for, seconds; 0: none (RFC 4028).
        min_session_expires: shortest session timer taken, at least 90.
        parts: whether a call may begin with a body of several parts; `Leg.invite` has it whole.
        timers: durations of RFC 3261.
        limits: bounds on messages and transactions.
    """

    host: str
    port: int
    stream_ports: Mapping[Transport, int] = field(default_factory=dict)
    most_calls: int = 200
    session_expires: int = 0
    min_session_expires: int = 90
    parts: bool = False
    timers: Timers = field(default_factory=Timers)
    limits: Limits = DEFAULT_LIMITS


class UserAgent:
    """A user agent over UDP, TCP and TLS: takes calls for a media plane, and places calls.

    Args:
        settings: what it needs to know.
        send: hands bytes to the transport.
        plane: takes calls.
        clock: monotonic time.
        tokens: tags, branches, ids.
        finder: looks names up, such as the transport; None: whom is called has a numeric address or comes with a flow.
        admits: asked about every request that begins something; what it does not want gets no answer and is counted.
            None: everything is wanted.
        earlier: asked about every request within a dialog that is not known; None: there are no such calls.
    """

    def __init__(
        self,
        settings: UserAgentSettings,
        send: Send,
        plane: MediaPlane,
        clock: Clock,
        tokens: Tokens,
        finder: Finder | None = None,
        admits: Admits | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        self._settings, self._plane, self._clock, self.tokens = settings, plane, clock, tokens
        self.session_expires, self.min_session_expires = settings.session_expires, settings.min_session_expires
        self.timers = settings.timers
        self.wheel = TimerWheel()
        self.drops: Counter[DropReason] = Counter()
        """What was dropped, by reason."""
        sent_by = {
            kind: f"{_bracketed(settings.host)}:{settings.stream_ports.get(kind, settings.port)}".encode()
            for kind in get_args(Transport)
        }
        self._layer = TransactionLayer(
            send, self, tokens, sent_by, settings.timers, self.wheel, settings.limits, self.drops
        )
        self._layer.finder = finder
        self._admits, self._earlier = admits, earlier
        self._calls: dict[DialogKey, tuple[Conversation, Leg | None, Flow]] = {}
        self._requests: dict[tuple[bytes, bytes, int], Call] = {}

    # -- what the outside calls

    def received(self, data: bytes, flow: Flow, now: float) -> None:
        """A message came in. What cannot be used is counted in `drops`, and answered where that is possible."""
        if not data.strip(_KEEP_ALIVE):
            return
        try:
            message = parse(data, self._settings.limits)
            message.flow = flow
            (check_response if message.status else check_request)(message)
            self._layer.receive(message, now)
        except BadMessage as error:
            self.drops[error.drop] += 1
            self._refuse_bad(error, flow)

    def advance(self, now: float) -> None:
        """Let every timer that is due go off."""
        self.wheel.advance(now)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """The transport could not send there, or the connection is gone: its calls go on by another."""
        if flow.connection > 0:
            for key, (call, leg, way) in self._calls.items():
                if way == flow:
                    self._calls[key] = call, leg, way._replace(connection=0)
        self._layer.flow_failed(flow, now)

    def batch_ended(self, now: float) -> None:
        """Nothing here waits for the end of a batch."""

    def dropped(self, reason: DropReason) -> None:
        """The transport dropped something."""
        self.drops[reason] += 1

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called next; None: not before something arrives or is asked for."""
        return self.wheel.deadline

    @property
    def calls(self) -> int:
        """How many calls there are."""
        return len({id(call) for call, _, _ in self._calls.values()})

    def place(
        self,
        to: Uri,
        local: Uri,
        listener: CallListener,
        offer: bytes,
        *,
        flow: Flow | None = None,
        login: Login | None = None,
        may_follow: MayFollow | None = None,
        headers: Iterable[RawHeader] = (),
        display: bytes = b"",
        contact_user: bytes | None = None,
        session_expires: int | None = None,
        content_type: bytes = SDP,
        addressee: Uri | None = None,
        asks: bool = False,
    ) -> PlacedLeg:
        """Call somebody.

        Args:
            to: Request-URI, and To without an `addressee`.
            local: our address, for From.
            listener: hears of the call.
            offer: our session description; empty asks the callee for one.
            flow: where the INVITE goes; None: where `to` says.
            login: answers challenges.
            may_follow: asked about each contact of a redirection; None: none is followed.
            headers: further ones (Route, Referred-By, Replaces, P-Asserted-Identity…).
            display: the name in From, quoted as it stands there; empty: none.
            contact_user: user part of our Contact; None: that of `local`.
            content_type: of `offer`, where it is a body of several parts.
            addressee: To, where it is another than the Request-URI: the user, not his phone.
            asks: whether the callee may be called without our `offer`, and make his, all the same.
            session_expires: the session timer that we ask for in the place of the settings', seconds; 0: none.

        Raises:
            CallRefused: there is no way to `to`.
        """
        way = flow or self._flow_to(to)
        if way is None:
            raise CallRefused("there is no way to who is called, and no flow was given")
        contact = self._contact(local.user if contact_user is None else contact_user, way.transport)
        tag, call_id = self.tokens.token(8).encode(), self.tokens.token(12).encode()
        lines: list[RawHeader] = [
            (b"Max-Forwards", b"70"),
            (b"From", (display + b" " if display else b"") + b"<" + bytes(local) + b">;tag=" + tag),
            (b"To", b"<" + bytes(addressee or to) + b">"),
            (b"Call-ID", call_id + b"@" + _bracketed(self._settings.host).encode()),
            (b"CSeq", b"1 INVITE"),
            (b"Contact", b"<" + bytes(contact) + b">"),
            (b"Allow", ALLOW),
            # A reliable provisional response would bring an offer that nobody can answer yet.
            (b"Supported", SUPPORTED if offer and not asks else SUPPORTED.replace(b"100rel, ", b"")),
            *headers,
        ]
        expires = self.session_expires if session_expires is None else session_expires
        if expires:
            lines.append(Refresh(expires).header)
        if offer:
            lines.append((b"Content-Type", content_type))
        request = new_request(b"INVITE", bytes(to), lines, offer)
        call = OutgoingCall(self, request, way, contact, listener, login, may_follow)
        call.start(self._clock.monotonic())
        return PlacedLeg(call, self._clock)

    # -- what the transaction layer calls

    def request_arrived(self, request: Message, now: float) -> None:
        """A new request."""
        if self._admits is not None and not request.to_tag and not self._admits(request):
            self.drops[DropReason.STRANGER] += 1
            return
        try:
            if request.method not in _ALLOWED:
                self._layer.reply(request, 405, headers=((b"Allow", ALLOW),))
            elif request.method == b"CANCEL":
                self._layer.reply(request, 481)
            elif unknown := [one for one in request.values(b"require") if one not in EXTENSIONS]:
                self._layer.reply(request, 420, headers=((b"Unsupported", b", ".join(unknown)),))
            elif request.to_tag:
                self._in_dialog(request, now)
            elif request.method == b"INVITE":
                self._new_call(request, now)
            elif request.method == b"OPTIONS":
                self._reply_finally(request, 200, now, ((b"Allow", ALLOW), (b"Accept", SDP), (b"Supported", SUPPORTED)))
            else:
                self._layer.reply(request, 481)
        except SipError as error:
            self._layer.reply(request, error.status, error.reason.encode(), tuple(getattr(error, "headers", ())))

    def ack_arrived(self, request: Message, now: float) -> None:
        """The ACK of a 2xx."""
        known = self._calls.get(_key(request))
        if known is None:
            self.drops[DropReason.STRAY_ACK] += 1
        elif isinstance(known[0], Call):
            known[0].acknowledged(request, now)
        else:
            known[0].reinvite_acknowledged(request)

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        """A CANCEL came for an INVITE."""
        if isinstance(transaction.user, Call):
            transaction.user.cancelled(now)

    def request(self, request: Message, flow: Flow, owner: ClientOwner, now: float) -> None:
        """Send a request of the caller's own making outside of any dialog, complete but for Via."""
        self._layer.request(request, flow, owner, now)

    def contact(self, user: bytes, flow: Flow) -> Uri:
        """Where we are reached by whom this flow leads to."""
        return self._contact(user, flow.transport)

    # -- what calls call

    def send_in_dialog(self, dialog: Dialog, request: Message, owner: ClientOwner | None, now: float) -> None:
        """Send a request of ours."""
        self._layer.request(request, self._way(dialog), owner, now)

    def acknowledge(self, dialog: Dialog, ack: Message) -> None:
        """Send the ACK of a 2xx."""
        self._layer.forward(ack, self._way(dialog))

    def send_invite(self, request: Message, flow: Flow, owner: ClientOwner, now: float) -> InvitingClient:
        """Send the INVITE of a call that we place."""
        client = self._layer.request(request, flow, owner, now)
        if not isinstance(client, InvitingClient):
            raise TypeError("an INVITE has a transaction that can be cancelled")
        return client

    def dialog_begun(self, call: OutgoingCall, dialog: Dialog) -> None:
        """Requests within this dialog belong to that call."""
        self._calls[dialog.key] = call, None, call.flow

    def call_confirmed(self, call: Conversation, answer: bytes | None) -> None:
        """The caller acknowledged our answer."""
        if (leg := self._leg_of(call)) is not None:
            self._plane.confirmed(leg, answer)

    def call_reoffered(self, call: Conversation, offer: bytes | None) -> bytes:
        """The caller wants another session; raises `CallRefused`."""
        leg = self._leg_of(call)
        if leg is None:
            raise CallRefused("the call is over")
        return self._plane.reoffered(leg, offer)

    def call_ended(self, call: Conversation, cause: str) -> None:
        """The call is over."""
        leg = self._leg_of(call)
        for key in [key for key, (one, _, _) in self._calls.items() if one is call]:
            del self._calls[key]
        if isinstance(call, Call):
            self._requests.pop(_identity(call.invite), None)
        if leg is not None:
            self._plane.ended(leg, cause if cause in _PLANE_CAUSES else "failed")

    def _leg_of(self, call: Conversation) -> Leg | None:
        known = self._calls.get(call.dialog.key) if call.dialog is not None else None
        return known[1] if known is not None else None

    def _way(self, dialog: Dialog) -> Flow:
        """The way to the first hop of a dialog.

        A connection that the peer opened is used as long as it stands, because there may be no other way to it. Where
        the hop is a name that nobody looks up, or a transport that is not spoken here, it is the way back.
        """
        hop, known = dialog.next_hop, self._calls.get(dialog.key)
        way = known[2] if known is not None else Flow("udp", "", 0)
        if way.connection > 0 and hop.address in (way.host, way.name):
            return way
        return self._flow_to(hop) or way

    def _flow_to(self, uri: Uri) -> Flow | None:
        """The way to a URI; None: there is none from here."""
        try:
            way = flow_for(uri)
        except Unresolvable:
            return None
        if way.transport != "udp" and way.transport not in self._settings.stream_ports:
            return None
        return None if way.connection < 0 and self._layer.finder is None else way

    def _contact(self, user: bytes, transport: Transport) -> Uri:
        """Where we are reached by this transport."""
        host, settings = _bracketed(self._settings.host).encode(), self._settings
        if transport == "udp":
            return Uri(host, user, settings.port)
        port = settings.stream_ports.get(transport, settings.port)
        return Uri(host, user, port, params={b"transport": transport.encode()})

    # -- how

    def _new_call(self, request: Message, now: float) -> None:
        uri = request.request_uri()
        if uri.scheme != b"sip":
            raise SipError(416, "Unsupported URI Scheme")
        if _identity(request) in self._requests:
            raise SipError(482, "Merged Request")  # the same request came by another way (§8.2.2.2)
        if self.calls >= self._settings.most_calls:
            self._layer.reply(request, 503, headers=((b"Retry-After", b"10"),))
            return
        if not self._body_is_usable(request):
            return
        # Not of the layer's tags: by those it knows ACKs that nobody waits for.
        dialog = Dialog.answering(request, b"ua-" + self.tokens.token(8).encode())
        contact = self._contact(uri.user, request.flow.transport)
        transaction = self._layer.accept(request)
        if not isinstance(transaction, InviteServer):
            raise TypeError("the transaction of an INVITE is an InviteServer")
        call = Call(self, request, transaction, dialog, contact)
        transaction.tag, transaction.user = dialog.key.local_tag, call
        leg = Leg(call, uri, self._clock)
        self._calls[dialog.key] = call, leg, request.flow
        self._requests[_identity(request)] = call
        call.trying(now)
        try:
            call.check_timer(now)
            call.replaces = self._replaced(request)
            leg.replaces = self._leg_of(call.replaces) if call.replaces is not None else None
            self._plane.offered(leg)
        except SipError as error:
            call.refuse(error.status, error.reason, now, tuple(getattr(error, "headers", ())))
        except CallRefused as refused:
            call.refuse(refused.status, refused.reason, now)

    def _replaced(self, request: Message) -> Conversation | None:
        """The call whose place this one takes (RFC 3891 §3).

        Raises:
            SipError: 481 there is none, 603 it is over, 486 it was answered and only early ones are to be replaced.
            BadMessage: Replaces is malformed.
        """
        value = request.get(b"replaces")
        if value is None:
            return None
        call_id, semicolon, rest = value.partition(b";")
        params = parse_params(semicolon + rest, "Replaces")
        key = DialogKey(call_id.strip(), params.get(b"to-tag") or b"", params.get(b"from-tag") or b"")
        known = self._calls.get(key)
        if known is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        if known[0].state is CallState.CONFIRMED and b"early-only" in params:
            raise SipError(486, "Busy Here")
        return known[0]

    def _in_dialog(self, request: Message, now: float) -> None:
        known = self._calls.get(_key(request))
        if known is None:
            if self._earlier is not None and self._earlier(request, now) and request.method == b"BYE":
                self._reply_finally(request, 200, now, ())
                return
            raise SipError(481, "Call/Transaction Does Not Exist")
        call = known[0]
        if request.method in (b"INVITE", b"UPDATE") and not self._body_is_usable(request):
            return
        dialog = call.dialog_of(_key(request)) if isinstance(call, OutgoingCall) else call.dialog
        if dialog is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        dialog.receive(request)
        transaction = self._layer.accept(request)
        transaction.tag = dialog.key.local_tag
        if isinstance(transaction, InviteServer):
            call.reinvite_arrived(request, transaction, now)
        else:
            call.request_arrived(request, transaction, now)

    def _body_is_usable(self, request: Message) -> bool:
        """No body, or one session description, or one among parts where that is wanted; else the request is refused."""
        kind = kind_of(request)
        good = kind == SDP or (self._settings.parts and kind == MULTIPART and not request.to_tag)
        if (request.body and not good) or request.get(b"content-encoding"):
            self._layer.reply(request, 415, headers=((b"Accept", SDP),))
            return False
        return True

    def _reply_finally(self, request: Message, status: int, now: float, headers: tuple[RawHeader, ...]) -> None:
        transaction = self._layer.accept(request)
        transaction.respond(status, response_bytes(request, status, b"", headers, transaction.tag), now)

    def _refuse_bad(self, error: BadMessage, flow: Flow) -> None:
        request = error.partial
        if request is None or request.status or request.method == b"ACK":
            return
        request.flow = flow
        try:
            self._layer.reply(request, error.status, error.reason.encode())
        except BadMessage:
            self.drops[DropReason.NO_RESPONSE_ADDRESS] += 1


def _key(request: Message) -> DialogKey:
    return DialogKey(request.call_id, request.to_tag, request.from_tag)


def _identity(request: Message) -> tuple[bytes, bytes, int]:
    return request.call_id, request.from_tag, request.cseq[0]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
