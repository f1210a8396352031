"""The other end of a call of a user agent: reads what it sends and answers as a test says."""

from __future__ import annotations

from edge_agent.ports import CallRefused, Transfer
from edge_agent.sip.message import Flow, Message, Uri, parse, response_bytes
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.sip.user_agent.challenges import Login
from edge_agent.sip.user_agent.leg import PlacedLeg
from edge_agent.sip.user_agent.outgoing import MayFollow
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock
from tests.support.media_plane import RecordingPlane

PEER = Flow("udp", "192.0.2.10", 5060)
OFFER, ANSWER = b"v=0\r\ns=offer\r\n", b"v=0\r\ns=answer\r\n"


class Declined(CallRefused):
    """The test does not want it."""

    status = 488
    reason = "Not Acceptable Here"


class RecordingListener:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.declines = False
        self.answers: bytes | None = None

    def progressed(self, status: int, description: bytes | None) -> bytes | None:
        """See `CallListener`."""
        self.heard.append(("progressed", status, description))
        return self.answers

    def answered(self, description: bytes | None) -> bytes | None:
        """See `CallListener`."""
        self.heard.append(("answered", description))
        return self.answers

    def reoffered(self, offer: bytes | None) -> bytes:
        """See `CallListener`."""
        self.heard.append(("reoffered", offer))
        if self.declines:
            raise Declined("the test said so")
        return ANSWER

    def changed(self, status: int, description: bytes | None) -> None:
        """See `CallListener`."""
        self.heard.append(("changed", status, description))

    def acknowledged(self, answer: bytes | None) -> None:
        """See `CallListener`."""
        self.heard.append(("acknowledged", answer))

    def informed(self, content_type: str, body: bytes) -> None:
        """See `CallListener`."""
        self.heard.append(("informed", content_type, body))

    def record_wanted(self, wanted: bool) -> None:
        """See `CallListener`."""
        self.heard.append(("record", wanted))
        if self.declines:
            raise Declined("the test said so")

    def transfer_wanted(self, transfer: Transfer) -> None:
        """See `CallListener`."""
        self.heard.append(("transfer", transfer))
        if self.declines:
            raise Declined("the test said so")

    def transfer_progressed(self, status: int, final: bool) -> None:
        """See `CallListener`."""
        self.heard.append(("transferred", status, final))

    def ended(self, cause: str, status: int) -> None:
        """See `CallListener`."""
        self.heard.append(("ended", cause, status))


class CallPartner:
    """A user agent that places calls, and whom it calls."""

    def __init__(self, session_expires: int = 0) -> None:
        self.clock, self.plane, self.listener = HandClock(), RecordingPlane(), RecordingListener()
        self.sent: list[Message] = []
        settings = UserAgentSettings("127.0.0.1", 5080, session_expires=session_expires)
        self.agent = UserAgent(settings, self._send, self.plane, self.clock, CountedTokens())
        self._count = 0

    def _send(self, data: bytes, flow: Flow) -> None:
        assert flow == PEER, flow
        self.sent.append(parse(data))

    def place(
        self,
        offer: bytes = OFFER,
        login: Login | None = None,
        may_follow: MayFollow | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        *,
        asks: bool = False,
    ) -> PlacedLeg:
        """Have the agent call."""
        to, local = Uri.parse(b"sip:201@192.0.2.10"), Uri.parse(b"sip:900@demo.tandem.test")
        return self.agent.place(
            to, local, self.listener, offer, login=login, may_follow=may_follow, headers=headers, asks=asks
        )

    def call(self, headers: tuple[tuple[bytes, bytes], ...] = ()) -> PlacedLeg:
        """Have the agent call, answer it, and forget how that went."""
        leg = self.place()
        self.reply(200, ANSWER, headers)
        self.sent.clear()
        self.listener.heard.clear()
        return leg

    def newest(self, method: str) -> Message:
        """The newest request of that method."""
        return [one for one in self.sent if one.method == method.encode()][-1]

    def reply(
        self,
        status: int,
        body: bytes = b"",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        *,
        tag: bytes = b"theirs",
        to: Message | None = None,
    ) -> list[str]:
        """Answer a request of the agent's, by default its newest INVITE; what it sends then."""
        request = to or self.newest("INVITE")
        lines = [(b"Contact", b"<sip:201@192.0.2.10:5060>")] if status < 300 else []
        lines += headers
        if body:
            lines.append((b"Content-Type", b"application/sdp"))
        return self.deliver(response_bytes(request, status, b"", lines, tag, body))

    def put(
        self, method: str, body: bytes = b"", headers: str = "", *, tag: str = "theirs", cseq: int = 0
    ) -> list[str]:
        """Send a request within the call that the agent placed; what it sends then."""
        self._count += 1
        invite = [one for one in self.sent if one.method in (b"INVITE", b"ACK", b"BYE")] or [self.last]
        self.last = invite[0]
        kind = "" if not body or "Content-Type" in headers else "Content-Type: application/sdp\r\n"
        text = (
            f"{method} sip:900@127.0.0.1:5080 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-p{self._count};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:201@192.0.2.10>;tag={tag}\r\nTo: {self.last.need(b'from').decode()}\r\n"
            f"Call-ID: {self.last.call_id.decode()}\r\nCSeq: {cseq or self._count} {method}\r\n"
            f"Contact: <sip:201@192.0.2.10:5060>\r\n{headers}{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        return self.deliver(text.encode() + body)

    last: Message

    def deliver(self, data: bytes) -> list[str]:
        """Hand bytes in; what the agent sends then."""
        before = len(self.sent)
        self.agent.received(data, PEER, self.clock.monotonic())
        return self.kinds(before)

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, timer by timer; what was sent meanwhile."""
        before, end = len(self.sent), self.clock.monotonic() + seconds
        while (due := self.agent.deadline) is not None and due <= end:
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            self.agent.advance(self.clock.monotonic())
        self.clock.advance(end - self.clock.monotonic())
        return self.kinds(before)

    def kinds(self, since: int = 0) -> list[str]:
        """Method or status of what was sent since."""
        return [one.method.decode() or str(one.status) for one in self.sent[since:]]
