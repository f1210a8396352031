"""The user agent: requests to the calls that they belong to, new calls to the media plane.

The transport hands in messages by `received`, calls `advance` when `deadline` is reached, and gets what is to be sent
through `send`, which must not wait.
"""

import ipaddress
from collections import Counter
from dataclasses import dataclass, field

from edge_agent.clock import Clock
from edge_agent.ports import CallRefused, MediaPlane
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
    parse,
    response_bytes,
)
from edge_agent.sip.transaction import InviteServer, Send, Timers, TimerWheel, TransactionLayer
from edge_agent.sip.user_agent.call import ALLOW, SDP, Call
from edge_agent.sip.user_agent.leg import Leg
from edge_agent.tokens import Tokens

_ALLOWED = frozenset(ALLOW.split(b", "))
_KEEP_ALIVE = b"\r\n\0 "
DEFAULT_PORT = 5060


@dataclass(frozen=True, slots=True)
class UserAgentSettings:
    """What a user agent needs to know.

    Args:
        host: our numeric address, as it stands in Contact and Via.
        port: our UDP port.
        most_calls: calls at one time, those being decided included; more get 503.
        timers: durations of RFC 3261.
        limits: bounds on messages and transactions.
    """

    host: str
    port: int
    most_calls: int = 200
    timers: Timers = field(default_factory=Timers)
    limits: Limits = DEFAULT_LIMITS


class UserAgent:
    """A user agent server over UDP; of its own it sends BYE only."""

    def __init__(
        self, settings: UserAgentSettings, send: Send, plane: MediaPlane, clock: Clock, tokens: Tokens
    ) -> None:
        self._settings, self._plane, self._clock, self._tokens = settings, plane, clock, tokens
        self.timers = settings.timers
        self.wheel = TimerWheel()
        self.drops: Counter[DropReason] = Counter()
        """What was dropped, by reason."""
        self._sent_by = f"{_bracketed(settings.host)}:{settings.port}".encode()
        self._layer = TransactionLayer(
            send, self, tokens, {"udp": self._sent_by}, settings.timers, self.wheel, settings.limits, self.drops
        )
        self._calls: dict[DialogKey, tuple[Call, Leg, Flow]] = {}
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
        """The transport could not send there."""
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
        return len(self._calls)

    # -- what the transaction layer calls

    def request_arrived(self, request: Message, now: float) -> None:
        """A new request."""
        try:
            if request.method not in _ALLOWED:
                self._layer.reply(request, 405, headers=((b"Allow", ALLOW),))
            elif request.method == b"CANCEL":
                self._layer.reply(request, 481)
            elif (required := request.values(b"require")) and request.method != b"ACK":
                self._layer.reply(request, 420, headers=((b"Unsupported", b", ".join(required)),))
            elif request.to_tag:
                self._in_dialog(request, now)
            elif request.method == b"INVITE":
                self._new_call(request, now)
            elif request.method == b"OPTIONS":
                self._reply_finally(request, 200, now, ((b"Allow", ALLOW), (b"Accept", SDP), (b"Supported", b"")))
            else:
                self._layer.reply(request, 481)
        except SipError as error:
            self._layer.reply(request, error.status, error.reason.encode())

    def ack_arrived(self, request: Message, now: float) -> None:
        """The ACK of a 2xx."""
        known = self._calls.get(_key(request))
        if known is None:
            self.drops[DropReason.STRAY_ACK] += 1
        else:
            known[0].acknowledged(request, now)

    def invite_cancelled(self, transaction: InviteServer, now: float) -> None:
        """A CANCEL came for an INVITE."""
        if isinstance(transaction.user, Call):
            transaction.user.cancelled(now)

    # -- what calls call

    def send_in_dialog(self, call: Call, request: Message, now: float) -> None:
        """Send a request of ours."""
        known = self._calls.get(call.dialog.key)
        if known is not None:
            self._layer.request(request, _flow_to(call.dialog.next_hop) or known[2], None, now)

    def call_confirmed(self, call: Call, answer: bytes | None) -> None:
        """The caller acknowledged our answer."""
        if (known := self._calls.get(call.dialog.key)) is not None:
            self._plane.confirmed(known[1], answer)

    def call_reoffered(self, call: Call, offer: bytes | None) -> bytes:
        """The caller wants another session; raises `CallRefused`."""
        known = self._calls.get(call.dialog.key)
        if known is None:
            raise CallRefused("the call is over")
        return self._plane.reoffered(known[1], offer)

    def call_ended(self, call: Call, cause: str) -> None:
        """The call is over."""
        known = self._calls.pop(call.dialog.key, None)
        self._requests.pop(_identity(call.invite), None)
        if known is not None:
            self._plane.ended(known[1], cause)

    # -- how

    def _new_call(self, request: Message, now: float) -> None:
        uri = request.request_uri()
        if uri.scheme != b"sip":
            raise SipError(416, "Unsupported URI Scheme")
        if _identity(request) in self._requests:
            raise SipError(482, "Merged Request")  # the same request came by another way (§8.2.2.2)
        if len(self._calls) >= self._settings.most_calls:
            self._layer.reply(request, 503, headers=((b"Retry-After", b"10"),))
            return
        if not self._body_is_usable(request):
            return
        caller = request.address(b"from").uri
        # Not of the layer's tags: by those it knows ACKs that nobody waits for.
        dialog = Dialog.answering(request, b"ua-" + self._tokens.token(8).encode())
        contact = Uri(_bracketed(self._settings.host).encode(), uri.user, self._settings.port)
        transaction = self._layer.accept(request)
        if not isinstance(transaction, InviteServer):
            raise TypeError("the transaction of an INVITE is an InviteServer")
        call = Call(self, request, transaction, dialog, contact)
        transaction.tag, transaction.user = dialog.key.local_tag, call
        leg = Leg(call, uri, caller, self._clock)
        self._calls[dialog.key] = call, leg, request.flow
        self._requests[_identity(request)] = call
        call.trying(now)
        try:
            self._plane.offered(leg)
        except CallRefused as refused:
            call.refuse(refused.status, refused.reason, now)

    def _in_dialog(self, request: Message, now: float) -> None:
        known = self._calls.get(_key(request))
        if known is None:
            raise SipError(481, "Call/Transaction Does Not Exist")
        call = known[0]
        if request.method == b"INVITE" and not self._body_is_usable(request):
            return
        call.dialog.receive(request)
        if request.method == b"OPTIONS":
            self._reply_finally(request, 200, now, ((b"Allow", ALLOW), (b"Accept", SDP), (b"Supported", b"")))
            return
        transaction = self._layer.accept(request)
        if isinstance(transaction, InviteServer):
            transaction.tag = call.dialog.key.local_tag
            call.reinvite_arrived(request, transaction, now)
        else:
            call.bye_arrived(request, transaction, now)

    def _body_is_usable(self, request: Message) -> bool:
        """No body, or one session description; else the request is refused."""
        kind = (request.get(b"content-type") or b"").partition(b";")[0].strip().lower()
        if (request.body and kind != SDP) or request.get(b"content-encoding"):
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


def _flow_to(uri: Uri) -> Flow | None:
    """The flow to a numeric address over UDP; None for a name or another transport: then the way back will do."""
    if uri.transport not in (b"", b"udp"):
        return None
    try:
        ipaddress.ip_address(uri.address)
    except ValueError:
        return None
    return Flow("udp", uri.address, uri.port or DEFAULT_PORT)
