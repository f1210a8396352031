"""A site's trunks between a proxy and providers that a test plays: what is sent to each, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import SecretStr

from contract.snapshot import Trunk
from edge_agent.ports import RelayedStream
from edge_agent.sip.dialog import DialogKey
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.message import Flow, Message, parse, response_bytes
from edge_agent.sip.relaying import RelayPool
from edge_agent.sip.relaying.recording import RecordingRules
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.trunks import Account, Trunks, TrunkSettings, TrunkStatus
from edge_agent.sip.trunks.relays import Relays, RelaySettings
from edge_agent.sip.user_agent import UserAgentSettings
from tests.support.counted_tokens import CountedTokens
from tests.support.hand_clock import HandClock

DOMAIN: Final = "demo.tandem.test"
EDGE: Final = Flow("udp", "127.0.0.1", 5060)
PROVIDER: Final = Flow("udp", "192.0.2.50", 5060)
STRANGER: Final = Flow("udp", "203.0.113.9", 5060)
OFFER: Final = b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=-\r\nm=audio 4000 RTP/AVP 0 101\r\n"
ANSWER: Final = b"v=0\r\no=- 2 1 IN IP4 192.0.2.50\r\ns=-\r\nm=audio 6000 RTP/AVP 0 101\r\n"


def trunk(trunk_id: str = "first", **more: Any) -> Trunk:
    """A trunk at PROVIDER with an account that does not register, asks nothing by itself, and uses national numbers."""
    values = {
        "gateway_id": trunk_id,
        "name": trunk_id,
        "host": PROVIDER.host,
        "username": "office",
        "options_seconds": 0,
        "incoming": {"style": "national", "country_code": "41"},
        **more,
    }
    return Trunk.model_validate(values)


class Party:
    """The proxy, or a provider: what it was sent, and what it says."""

    def __init__(self, world: TrunkWorld, flow: Flow, inside: bool) -> None:
        self._world, self.flow, self._inside = world, flow, inside
        self.got: list[Message] = []
        self._count = 0

    def kinds(self) -> list[str]:
        """Methods and statuses of what it got, oldest first."""
        return [str(one.status) if one.status else one.method.decode() for one in self.got]

    def newest(self, what: str) -> Message:
        """The newest request of a method, or response with a status."""
        found = [one for one in self.got if what == (str(one.status) if one.status else one.method.decode())]
        assert found, (what, self.kinds())
        return found[-1]

    def forget(self) -> None:
        """What it got so far."""
        self.got.clear()

    def reply(
        self, status: int, body: bytes = b"", headers: str = "", *, to: str = "INVITE", tag: bytes = b"theirs"
    ) -> None:
        """Answer the newest request of a method."""
        self.answer(self.newest(to), status, body, headers, tag)

    def answer(
        self, request: Message, status: int, body: bytes = b"", headers: str = "", tag: bytes = b"theirs"
    ) -> None:
        """Answer a request."""
        lines = [(one.partition(": ")[0].encode(), one.partition(": ")[2].encode()) for one in headers.splitlines()]
        if status < 300 and request.method != b"REGISTER":
            lines.append((b"Contact", f"<sip:them@{self.flow.host}:{self.flow.port}>".encode()))
        if body:
            lines.append((b"Content-Type", b"application/sdp"))
        self._world.deliver(response_bytes(request, status, b"", lines, tag, body), self)

    def ask(
        self,
        method: str,
        uri: str,
        body: bytes = b"",
        headers: str = "",
        *,
        sender: str = "<sip:0791112233@192.0.2.50>",
        to: str = "",
        call: str = "call-1",
        cseq: int = 1,
        tag: str = "asking",
        kind: str = "Content-Type: application/sdp\r\n",
    ) -> None:
        """Send a request; `headers` end with a line end each."""
        self._count += 1
        kind = kind if body else ""
        text = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.flow.host}:{self.flow.port};branch=z9hG4bK-{call}-{self._count};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {sender};tag={tag}\r\nTo: {to or f'<{uri}>'}\r\nCall-ID: {call}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: <sip:them@{self.flow.host}:{self.flow.port}>\r\n"
            f"{headers}{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        self._world.deliver(text.encode() + body, self)

    def within(
        self,
        ours: Message,
        method: str,
        body: bytes = b"",
        headers: str = "",
        *,
        cseq: int = 50,
        kind: str = "application/sdp",
    ) -> None:
        """Send a request in the dialog of a response of ours to this party's INVITE, or of our INVITE to it."""
        contact = re.search(rb"<([^>]*)>", ours.need(b"contact"))
        assert contact
        if ours.status:
            sender, to, tag = ours.need(b"from").decode(), ours.need(b"to").decode(), ""
        else:
            sender, to, tag = f"{ours.need(b'to').decode()};tag=theirs", ours.need(b"from").decode(), ""
        self._count += 1
        kind = f"Content-Type: {kind}\r\n" if body else ""
        text = (
            f"{method} {contact[1].decode()} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.flow.host}:{self.flow.port};branch=z9hG4bK-w{id(self)}-{self._count};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {sender}{tag}\r\nTo: {to}\r\nCall-ID: {ours.call_id.decode()}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: <sip:them@{self.flow.host}:{self.flow.port}>\r\n"
            f"{headers}{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        self._world.deliver(text.encode() + body, self)


class TrunkWorld:
    """Trunks, the proxy, and a provider."""

    def __init__(
        self,
        *trunks: Trunk,
        passwords: str = "secret",
        relay: RelaySettings | None = None,
        recording: RecordingRules | None = None,
        kept: KeptRows | None = None,
    ) -> None:
        self.carried: list[tuple[RelayedStream, ...]] = []
        self.joins: list[tuple[str, bytes, bytes]] = []
        """What was told of calls that were joined."""
        ports = relay or RelaySettings()
        self.pool = RelayPool(self, ports.first_port, ports.last_port)
        self.clock = HandClock()
        self.told: list[tuple[TrunkStatus, ...]] = []
        self.peers: dict[Flow, VerifiedPeer] = {}
        self.complaints: dict[str, str] = {}
        self.edge, self.provider = Party(self, EDGE, True), Party(self, PROVIDER, False)
        self.stranger = Party(self, STRANGER, False)
        self.trunks = Trunks(
            self.settings(*(trunks or (trunk(),)), passwords=passwords),
            inside=UserAgentSettings("127.0.0.1", 5070, parts=True),
            outside=UserAgentSettings("198.51.100.1", 5080, {"tcp": 5080, "tls": 5081}, session_expires=1800),
            edge=EDGE,
            send_inside=lambda data, flow: self.edge.got.append(parse(data)),
            send_outside=self._sent,
            finder=self,
            peer_of=self.peers.get,
            clock=self.clock,
            tokens=CountedTokens(),
            told=self.told.append,
            relays=Relays(relay, self.pool, recording) if relay is not None else None,
            complaint=lambda host: self.complaints.get(host, ""),
            joins=self,
            kept=kept,
        )

    # -- see `Joins`

    def joined(self, kept: DialogKey, other: DialogKey) -> None:
        """Remembered."""
        self.joins.append(("joined", kept.call_id, other.call_id))

    def not_joined(self, kept: DialogKey, other: DialogKey) -> None:
        """Remembered."""
        self.joins.append(("not joined", kept.call_id, other.call_id))

    def parted(self, kept: DialogKey, by_other: bool) -> None:
        """Remembered."""
        self.joins.append(("parted", kept.call_id, b"by the other" if by_other else b"by the first"))

    # -- see `MediaRelay`

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Kept, the newest last."""
        self.carried.append(streams)

    # -- see `Finder`

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        """Every name is the provider's."""
        assert flow.host == "sip.provider.test", flow
        found((PROVIDER,), now)

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        """Nothing is remembered."""

    def answered(self, flow: Flow, hop: Flow) -> None:
        """Nothing is remembered."""

    @staticmethod
    def settings(*trunks: Trunk, passwords: str = "secret") -> TrunkSettings:
        """Settings with these trunks."""
        return TrunkSettings(DOMAIN, {one.gateway_id: Account(one, SecretStr(passwords)) for one in trunks})

    def _sent(self, data: bytes, flow: Flow) -> None:
        party = {PROVIDER.host: self.provider, STRANGER.host: self.stranger}[flow.host]
        party.got.append(parse(data))

    def deliver(self, data: bytes, party: Party) -> None:
        """What a party says arrives."""
        agent = self.trunks.inside if party is self.edge else self.trunks.outside
        agent.received(data, party.flow, self.clock.monotonic())

    def wait(self, seconds: float) -> None:
        """Let time pass, timers with it."""
        end = self.clock.monotonic() + seconds
        while True:
            due = [
                at for at in (self.trunks.inside.deadline, self.trunks.outside.deadline) if at is not None and at <= end
            ]
            if not due:
                break
            self.clock.advance(max(0.0, min(due) - self.clock.monotonic()))
            self.trunks.inside.advance(self.clock.monotonic())
            self.trunks.outside.advance(self.clock.monotonic())
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    # -- calls

    def call_out(
        self, number: str = "+41791112233", trunk_id: str = "first", body: bytes = OFFER, headers: str = ""
    ) -> None:
        """The proxy calls a number by a trunk."""
        asserted = f"P-Asserted-Identity: <sip:+41441112200@{DOMAIN}>\r\n"
        uri = f"sip:{number};tgrp={trunk_id};trunk-context={DOMAIN}@127.0.0.1:5070"
        sender = f'"Desk" <sip:200@{DOMAIN}>'
        self.edge.ask("INVITE", uri, body, asserted + headers, sender=sender, call="inner-1")

    def talking_out(self) -> None:
        """A call out that was answered and acknowledged; what each side got is forgotten."""
        self.call_out()
        self.provider.reply(200, ANSWER)
        self.edge_answer = self.edge.newest("200")
        self.provider_invite = self.provider.newest("INVITE")
        self.edge.within(self.edge_answer, "ACK", cseq=1)
        self.edge.forget()
        self.provider.forget()

    def call_in(
        self, number: str = "0441112202", headers: str = "", sender: str = "<sip:0791112233@192.0.2.50>"
    ) -> None:
        """The provider calls a number."""
        uri = f"sip:{number}@198.51.100.1:5080"
        self.provider.ask("INVITE", uri, OFFER, headers, call="outer-1", sender=sender)

    def talking_in(self) -> None:
        """A call in that was answered and acknowledged; what each side got is forgotten."""
        self.call_in()
        self.edge.reply(200, ANSWER)
        self.provider_answer = self.provider.newest("200")
        self.edge_invite = self.edge.newest("INVITE")
        self.provider.within(self.provider_answer, "ACK", cseq=1)
        self.edge.forget()
        self.provider.forget()

    edge_answer: Message
    provider_answer: Message
    edge_invite: Message
    provider_invite: Message
