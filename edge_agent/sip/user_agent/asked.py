"""One request within a dialog and what came of it, challenges answered on the way (RFC 3261 §12.2.1, §22.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_agent.sip.dialog import Dialog
from edge_agent.sip.message import Message, RawHeader
from edge_agent.sip.transaction import ClientOwner, ClientTransaction
from edge_agent.sip.user_agent.challenges import Challenges

Done = Callable[[Message | None, float], None]
"""Given the final response, or None when there was none in time."""
SDP = b"application/sdp"


class DialogHome(Protocol):
    """Sends for a dialog."""

    def send_in_dialog(self, dialog: Dialog, request: Message, owner: ClientOwner | None, now: float) -> None:
        """Send a request in a transaction."""
        ...

    def acknowledge(self, dialog: Dialog, ack: Message) -> None:
        """Send the ACK of a 2xx."""
        ...


class Asked:
    """A request of ours; the `ClientOwner` of its transactions.

    Args:
        home: sends.
        dialog: whose.
        request: without Via.
        challenges: answers them.
        done: told once.
        acknowledges: the body of the ACK for a 2xx, made when the first 2xx comes; for INVITE. None: it comes later,
            by `acknowledge`.
    """

    __slots__ = ("_ack", "_acknowledges", "_challenges", "_dialog", "_done", "_held", "_home", "request")

    def __init__(
        self,
        home: DialogHome,
        dialog: Dialog,
        request: Message,
        challenges: Challenges,
        done: Done,
        acknowledges: Callable[[Message], bytes | None] | None = None,
    ) -> None:
        self._home, self._dialog, self._challenges = home, dialog, challenges
        self._done: Done | None = done
        self._acknowledges = acknowledges
        self._ack: Message | None = None
        self._held = False
        self.request = request

    def send(self, now: float) -> None:
        """Send it, or send it again with credentials."""
        self._home.send_in_dialog(self._dialog, self.request.copy(), self, now)

    def response_arrived(self, client: ClientTransaction, response: Message, now: float) -> None:
        """See `ClientOwner`."""
        del client
        status = response.status
        if status < 200:
            return
        if status < 300 and self.request.method == b"INVITE":
            self._acknowledge(response)
        if status in (401, 407) and self._done is not None:
            again = self._challenges.answer(self.request, response, self._dialog.next_number())
            if again is not None:
                self.request = again
                self.send(now)
                return
        self._tell(response, now)

    def request_timed_out(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._tell(None, now)

    def request_unreachable(self, client: ClientTransaction, now: float) -> None:
        """See `ClientOwner`."""
        del client
        self._tell(None, now)

    def _acknowledge(self, response: Message) -> None:
        """Every 2xx, retransmissions too, gets the same ACK."""
        if self._held:
            return
        if self._ack is None:
            body = self._acknowledges(response) if self._acknowledges is not None else b""
            self._dialog.answered(response)
            if body is None:
                self._held = True
                return
            self._ack = self._dialog.ack(self.request.cseq[0], ack_headers(self.request, body), body)
        self._home.acknowledge(self._dialog, self._ack.copy())

    def acknowledge(self, body: bytes) -> None:
        """Send the ACK that was held; nothing happens where none was."""
        if self._held:
            self._held = False
            self._ack = self._dialog.ack(self.request.cseq[0], ack_headers(self.request, body), body)
            self._home.acknowledge(self._dialog, self._ack.copy())

    def _tell(self, response: Message | None, now: float) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(response, now)


def ack_headers(invite: Message, body: bytes) -> tuple[RawHeader, ...]:
    """What an ACK carries besides its dialog: the INVITE's credentials (RFC 3261 §13.2.2.4, §22.1)."""
    headers: list[RawHeader] = [(b"Authorization", value) for value in invite.all(b"authorization")]
    headers += [(b"Proxy-Authorization", value) for value in invite.all(b"proxy-authorization")]
    if body:
        headers.append((b"Content-Type", SDP))
    return tuple(headers)
