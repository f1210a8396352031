"""One call at the side that places it (RFC 3261 §13.2).

Proceeding ──2xx──▶ Confirmed ──BYE──▶ Ended      (each further 2xx of a fork is acknowledged and hung up)
    └──refused, redirected nowhere, CANCEL, silence──▶ Ended
A call that is hung up before its answer is cancelled, and if the answer crosses that, hung up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from edge_agent.ports import AnswerLater, CallListener
from edge_agent.sip.dialog import Dialog, DialogKey
from edge_agent.sip.message import BadMessage, Flow, Message, NameAddr, RawHeader, SipError, Uri
from edge_agent.sip.transaction import ClientOwner, ClientTransaction, InvitingClient
from edge_agent.sip.user_agent.asked import SDP, Asked, ack_headers
from edge_agent.sip.user_agent.bodies import session_of
from edge_agent.sip.user_agent.challenges import Challenges, Login
from edge_agent.sip.user_agent.conversation import CallHome, CallState, Conversation
from edge_agent.sip.user_agent.reliable import number_of
from edge_agent.sip.user_agent.session_timer import Refresh, least_of

_MOST_EARLY: Final = 20
"""Early dialogs of one call; a fork of a site has fewer."""
_REDIRECTIONS: Final = 5

MayFollow = Callable[[Uri], bool]
"""Whether a call may go on where a 3xx points."""


class PlacingHome(CallHome, Protocol):
    """What a call that we place asks of its user agent."""

    def send_invite(self, request: Message, flow: Flow, owner: ClientOwner, now: float) -> InvitingClient:
        """Send an INVITE."""
        ...

    def dialog_begun(self, call: OutgoingCall, dialog: Dialog) -> None:
        """From here on requests within this dialog belong to the call."""
        ...


class _Early:
    """An early dialog, and the last reliable response in it."""

    __slots__ = ("dialog", "number")

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.number = 0


class OutgoingCall(Conversation):
    """A call that we place; every `now` is seconds on one monotonic clock.

    Args:
        home: the user agent.
        request: its INVITE, complete but for Via.
        flow: where it goes.
        contact: ours.
        listener: hears of it.
        login: answers challenges; None: there is no password.
        may_follow: asked about each contact of a 3xx; None: none is followed.
    """

    __slots__ = (
        "_accepted",
        "_authorization",
        "_cancelled",
        "_client",
        "_early",
        "_late",
        "_may_follow",
        "_number",
        "_places",
        "_placing",
        "_request",
        "_tried",
        "call_id",
        "flow",
        "heard",
        "refusal",
    )

    def __init__(
        self,
        home: PlacingHome,
        request: Message,
        flow: Flow,
        contact: Uri,
        listener: CallListener,
        login: Login | None = None,
        may_follow: MayFollow | None = None,
    ) -> None:
        super().__init__(home, contact, listener, login)
        self._placing = home
        self._owns_call_id = True
        self._request, self.flow, self._may_follow = request, flow, may_follow
        self._description = session_of(request)
        self._number = request.cseq[0]
        self._authorization = Challenges(login, home.tokens)
        self._client: InvitingClient | None = None
        self._cancelled = False
        self._early: dict[bytes, _Early] = {}
        self._accepted: dict[bytes, tuple[Dialog, Message]] = {}
        self._late: tuple[bytes, Dialog] | None = None
        """The tag and dialog of a 2xx whose ACK waits for our answer."""
        self.heard = False
        """Whether anything answered at all."""
        self.refusal: Message | None = None
        self.call_id = request.call_id
        """The final response that ended it."""
        self._places: list[Uri] = []
        self._tried = {request.uri}

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self._early.clear()
        self._client = self._placing.send_invite(self._request.copy(), self.flow, self, now)

    @property
    def request(self) -> Message:
        """The INVITE as it was sent last, without Via."""
        return self._request

    def dialog_of(self, key: DialogKey) -> Dialog | None:
        """The dialog of the call with this key: the one that was answered, or an early one."""
        if self.dialog is not None:
            return self.dialog if self.dialog.key == key else None
        early = self._early.get(key.remote_tag)
        return early.dialog if early is not None else None

    def hang_up(self, now: float) -> None:
        """End the call, whatever state it is in: CANCEL before its answer (§9.1), BYE after."""
        if self.state is CallState.CONFIRMED:
            self.give_up("local", now)
        elif self.state is CallState.PROCEEDING and not self._cancelled:
            self._cancelled = True
            if self._client is not None:
                self._client.cancel(now)

    # -- see `ClientOwner`

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """The INVITE was answered in some way."""
        status = response.status
        self.heard = True
        try:
            if status < 200:
                if status > 100 and client is self._client:
                    self._progressed(response, now)
            elif status < 300:
                self._answered(response, now)
            elif client is self._client and self.state is CallState.PROCEEDING:
                self._refused(response, now)
        except BadMessage:
            # A response that cannot be made a dialog of: 2xx cannot be acknowledged, so the peer will give up.
            if status >= 200:
                self.end("failed", status)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """Nobody answered."""
        del now
        if client is self._client and self.state is CallState.PROCEEDING:
            self.end("local" if self._cancelled else "unanswered", 408)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """It could not be sent (§8.1.3.1)."""
        del now
        if client is self._client and self.state is CallState.PROCEEDING:
            self.end("local" if self._cancelled else "unreachable", 503)

    # -- before the answer

    def _progressed(self, response: Message, now: float) -> None:
        if self.state is not CallState.PROCEEDING:
            return
        early = self._early_dialog(response)
        reliable = number_of(response)
        if reliable and early is not None:
            if early.number and reliable != early.number + 1:
                # Repeated, or ahead of one that is still to come (RFC 3262 §4).
                return
            early.number = reliable
        answer = self.listener.progressed(response.status, response.body or None) if self.listener else None
        if reliable and early is not None:
            self._prack(early.dialog, reliable, (answer or b"") if not self._request.body else b"", now)

    def _came_by(self, response: Message) -> None:
        """On a stream, the connection that the callee answered by is the way to it."""
        if response.flow.connection > 0:
            self.flow = response.flow

    def _early_dialog(self, response: Message) -> _Early | None:
        self._came_by(response)
        tag = response.to_tag
        known = self._early.get(tag)
        if known is None and tag and b"contact" in response.names and len(self._early) < _MOST_EARLY:
            known = self._early[tag] = _Early(Dialog.asking(self._request, response))
            self._placing.dialog_begun(self, known.dialog)
        return known

    def _prack(self, dialog: Dialog, number: int, answer: bytes, now: float) -> None:
        headers: list[RawHeader] = [(b"RAck", b"%d %d INVITE" % (number, self._request.cseq[0]))]
        if answer:
            headers.append((b"Content-Type", SDP))
        request = dialog.request(b"PRACK", tuple(headers), answer)
        Asked(self._home, dialog, request, self._challenges(), _whatever).send(now)

    # -- the answer

    def _answered(self, response: Message, now: float) -> None:
        self._came_by(response)
        tag = response.to_tag
        known = self._accepted.get(tag)
        if known is not None:
            self._home.acknowledge(known[0], known[1].copy())
            return
        if self._late is not None and self._late[0] == tag:
            return
        early = self._early.get(tag)
        if early is not None:
            dialog = early.dialog
            dialog.confirmed(response)
        else:
            dialog = Dialog.asking(self._request, response)
        wanted = self.state is CallState.PROCEEDING and not self._cancelled
        body = b""
        if wanted:
            self.dialog, self.state = dialog, CallState.CONFIRMED
            self._placing.dialog_begun(self, dialog)
            self._take_timer(response, now)
            try:
                answer = self.listener.answered(response.body or None) if self.listener else None
            except AnswerLater:
                self._late = tag, dialog
                return
            if answer:
                body = self._description = answer
        self._acknowledge(tag, dialog, body)
        if not wanted:
            # A second phone of a fork, or an answer that crossed our CANCEL (§13.2.2.4, §15).
            Asked(self._home, dialog, dialog.request(b"BYE"), self._challenges(), _whatever).send(now)
            if self._cancelled:
                self.end("local")

    def acknowledge(self, answer: bytes) -> None:
        """As any call's; also the ACK of the call's own answer."""
        if self._late is None:
            super().acknowledge(answer)
            return
        (tag, dialog), self._late = self._late, None
        self._description = answer
        self._acknowledge(tag, dialog, answer)

    def _acknowledge(self, tag: bytes, dialog: Dialog, body: bytes) -> None:
        ack = dialog.ack(self._request.cseq[0], ack_headers(self._request, body), body)
        self._accepted[tag] = dialog, ack
        self._home.acknowledge(dialog, ack.copy())

    # -- a refusal

    def _refused(self, response: Message, now: float) -> None:
        status = response.status
        again = None if self._cancelled else self._again(response)
        if again is not None:
            self._request = again
            self.start(now)
            return
        self.refusal = response
        self.end("local" if self._cancelled else "refused", status)

    def _again(self, response: Message) -> Message | None:
        """The INVITE in another form, where that may help."""
        status = response.status
        number = self._number + 1
        again: Message | None = None
        if status in (401, 407):
            again = self._authorization.answer(self._request, response, number)
        elif status == 422:
            again = self._longer(response, number)
        elif 300 <= status < 400:
            again = self._elsewhere(response, number)
        elif self._places:
            again = self._moved(self._places.pop(0), number)
        if again is not None:
            self._number = number
        return again

    def _longer(self, response: Message, number: int) -> Message | None:
        """With the session timer that is long enough (RFC 4028 §7.3)."""
        least = least_of(response)
        asked = self._request.get(b"session-expires")
        if asked is None or least <= int(asked.partition(b";")[0]):
            return None
        again = self._numbered(number)
        again.set(b"Session-Expires", Refresh(least).header[1])
        again.set(b"Min-SE", b"%d" % least)
        return again

    def _elsewhere(self, response: Message, number: int) -> Message | None:
        """Where a 3xx points, as far as that is allowed, each place once (§8.1.3.4)."""
        if self._may_follow is None:
            return None
        for value in response.values(b"contact"):
            try:
                uri = NameAddr.parse(value, "Contact").uri
            except SipError:
                continue
            if len(self._tried) <= _REDIRECTIONS and uri.text not in self._tried and self._may_follow(uri):
                self._tried.add(uri.text)
                self._places.append(uri)
        return self._moved(self._places.pop(0), number) if self._places else None

    def _moved(self, uri: Uri, number: int) -> Message:
        again = self._numbered(number)
        again.set_uri(uri.text)
        return again

    def _numbered(self, number: int) -> Message:
        again = self._request.copy()
        again.set(b"CSeq", b"%d INVITE" % number)
        return again


def _whatever(response: Message | None, now: float) -> None:
    del response, now
