"""Calls as their holders have them: each method acts at the clock's present moment."""

from edge_agent.clock import Clock
from edge_agent.ports import CallListener, Transfer, TransferTold
from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.message import BadMessage, Message, NameAddr, RawHeader, Uri, escaped_user
from edge_agent.sip.message.uri import unescape
from edge_agent.sip.user_agent.call import Call
from edge_agent.sip.user_agent.conversation import Conversation
from edge_agent.sip.user_agent.outgoing import OutgoingCall


class Talk:
    """What may be asked of a call that was answered, whoever placed it; nothing happens when it is over."""

    __slots__ = ("_clock", "_talk")

    def __init__(self, talk: Conversation, clock: Clock) -> None:
        self._talk, self._clock = talk, clock

    def reoffer(self, description: bytes | None) -> None:
        """Ask for another session by re-INVITE; None asks the peer for an offer. `CallListener.changed` follows."""
        self._talk.reoffer(description, self._clock.monotonic())

    def update(self, description: bytes | None) -> None:
        """As `reoffer`, by UPDATE; None only refreshes."""
        self._talk.update(description, self._clock.monotonic())

    def reanswer(self, description: bytes) -> None:
        """Give the description that a listener promised by `AnswerLater`."""
        self._talk.reanswer(description, self._clock.monotonic())

    def rerefuse(self, status: int, reason: str = "") -> None:
        """Refuse what a listener promised a description for; the session stays as it is."""
        self._talk.rerefuse(status, reason, self._clock.monotonic())

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that waits for the answer that a listener promised."""
        self._talk.acknowledge(answer)

    def inform(self, content_type: str, body: bytes) -> None:
        """Send information (INFO)."""
        self._talk.inform(content_type.encode(), body, self._clock.monotonic())

    def refer(self, transfer: Transfer, quiet: bool = False) -> None:
        """Ask the peer to call somebody else; `quiet` wants no word of what becomes of it (RFC 4488)."""
        self._talk.refer(transfer, self._clock.monotonic(), quiet)

    def transfer_progress(self, status: int) -> None:
        """Tell the peer what became of the call that it wanted."""
        self._talk.transfer_progress(status, self._clock.monotonic())

    @property
    def dialog(self) -> Dialog | None:
        """The dialog itself; None before there is one."""
        return self._talk.dialog

    @property
    def key(self) -> DialogKey | None:
        """Names the dialog; None before there is one."""
        return self._talk.dialog.key if self._talk.dialog is not None else None


class Leg(Talk):
    """A call that came in: `edge_agent.ports.CallLeg` over a `Call` and a clock."""

    __slots__ = ("_call", "_caller", "_offer", "_site", "arguments", "asserted", "called", "caller_name", "replaces")

    def __init__(self, call: Call, called: Uri, clock: Clock) -> None:
        """Raises `BadMessage` when the INVITE does not say who calls."""
        super().__init__(call, clock)
        self._call = call
        caller = call.invite.address(b"from")
        self._caller = caller.uri.dialled
        self._site = call.invite.address(b"to").uri.host
        self._offer = call.invite.body or None
        self.called = called.dialled
        """User part of the Request-URI."""
        self.caller_name = caller.name
        """Display name of the From header."""
        self.asserted = _asserted(call.invite)
        """User part of P-Asserted-Identity."""
        self.arguments = {
            name.decode("ascii", "replace"): unescape(value or b"").decode("utf-8", "replace")
            for name, value in called.params.items()
        }
        """Parameters of the Request-URI."""
        self.replaces: Leg | None = None
        """The call that ends once this one is answered."""

    placed = False
    """It came in."""

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self._call.invite.call_id.decode("utf-8", "replace")

    @property
    def invite(self) -> Message:
        """The request that the call came by."""
        return self._call.invite

    @property
    def caller(self) -> str:
        """User part of the From header."""
        return self._caller

    @property
    def offer(self) -> bytes | None:
        """The session description that the call came with."""
        return self._offer

    def listen(self, listener: CallListener) -> None:
        """Hear more of this call than a media plane does; new sessions are asked of the listener from here on."""
        self._call.listener = listener

    def ring(self) -> None:
        """180."""
        self._call.ring(self._clock.monotonic())

    def progress(self, status: int, description: bytes = b"") -> None:
        """Another provisional response, such as 183 with a description for early media."""
        self._call.progress(status, description, self._clock.monotonic())

    def answer(self, description: bytes) -> None:
        """200 with our session description."""
        self._call.answer(description, self._clock.monotonic())

    def refuse(self, status: int, reason: str, headers: tuple[RawHeader, ...] = ()) -> None:
        """End the call before it is answered."""
        self._call.refuse(status, reason, self._clock.monotonic(), headers)

    def transfer(self, to: str | Transfer, told: TransferTold, proven: str = "") -> None:
        """Ask the caller to call somebody else instead."""
        self._talk.refer(wanted_of(to, self._site, proven), self._clock.monotonic(), told=told)

    def hang_up(self) -> None:
        """End the call, whatever state it is in."""
        self._call.hang_up(self._clock.monotonic())


class PlacedLeg(Talk):
    """A call that we placed."""

    __slots__ = ("_call",)

    def __init__(self, call: OutgoingCall, clock: Clock) -> None:
        super().__init__(call, clock)
        self._call = call

    def hang_up(self) -> None:
        """End the call, whatever state it is in: cancelled before its answer."""
        self._call.hang_up(self._clock.monotonic())

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self._call.call_id.decode("utf-8", "replace")

    @property
    def heard(self) -> bool:
        """Whether anything answered at all, a 100 too."""
        return self._call.heard

    @property
    def refusal(self) -> Message | None:
        """The final response that ended it before it was answered; None: none did."""
        return self._call.refusal

    @property
    def replaces(self) -> str:
        """The Replaces value by which another call takes this one's place (RFC 3891); empty before the answer."""
        dialog = self._call.dialog
        if dialog is None:
            return ""
        key = dialog.key
        # As the peer sees it: its own tag is the to-tag.
        parts = (key.call_id, b";to-tag=", key.remote_tag, b";from-tag=", key.local_tag)
        return b"".join(parts).decode("ascii", "replace")


def wanted_of(to: str | Transfer, domain: bytes, proven: str = "") -> Transfer:
    """A transfer to a number of a site, or as somebody asked for it.

    Args:
        to: the number, or the transfer.
        domain: of the site.
        proven: id of the authorization code that the caller knew; empty: none.
    """
    if isinstance(to, Transfer):
        return to
    return Transfer(Uri(domain, escaped_user(to)).text.decode("ascii"), proven=proven)


def _asserted(invite: Message) -> str:
    """The first SIP address of P-Asserted-Identity (RFC 3325 §9.1); one that cannot be read says nothing."""
    for value in invite.values(b"p-asserted-identity"):
        try:
            uri = NameAddr.parse(value, "P-Asserted-Identity").uri
        except BadMessage:
            return ""
        if uri.is_sip:
            return uri.dialled
    return ""
