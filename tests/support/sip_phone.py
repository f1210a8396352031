"""A phone on a `MemoryNetwork` that does what a script tells it; of the edge it shares the message layer only."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_agent.sip.message import Message, NameAddr, parse, parse_credentials, response_bytes, response_value
from edge_agent.sip.message import ha1 as hash_of
from tests.support.memory_network import Address, MemoryNetwork
from tests.support.sip_site import DOMAIN, password_of


@dataclass
class SipPhone:
    """One phone with one account.

    Args:
        network: where it lives.
        address: its own.
        edge: where it sends.
        username: of its user.
        answers: statuses that it gives to an INVITE, at once and in this order.
        private_host: the address that it takes for its own, behind a NAT; empty: `address`.
        named: its Contact URI where it names another one than that; empty: it does not.
        sdp: what describes its media, in its answers to INVITEs.
        other_status: what it answers to anything but INVITE, CANCEL and ACK.
    """

    network: MemoryNetwork
    address: Address
    edge: Address
    username: str
    answers: tuple[int, ...] = (180, 200)
    password: str = ""
    private_host: str = ""
    named: str = ""
    sdp: bytes = b""
    other_status: int = 200
    requests: list[Message] = field(default_factory=list)
    responses: list[Message] = field(default_factory=list)
    _count: int = 0
    _pending: dict[bytes, Message] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network.join(self.address, self)
        self.password = self.password or password_of(self.username)

    @property
    def contact(self) -> str:
        """Its Contact URI."""
        if self.named:
            return self.named
        stream = ";transport=tcp" if self.network.flow_of(self.address).transport == "tcp" else ""
        return f"sip:{self.username}@{self.host}:{self.address[1]}{stream}"

    @property
    def host(self) -> str:
        """What it takes for its address, as in a URI."""
        host = self.private_host or self.address[0]
        return f"[{host}]" if ":" in host else host

    @property
    def statuses(self) -> list[int]:
        """Every status that it received."""
        return [one.status for one in self.responses]

    @property
    def methods(self) -> list[str]:
        """Every method that it received."""
        return [one.method.decode() for one in self.requests]

    # -- sending

    def request(
        self, method: str, uri: str, headers: str = "", body: str = "", to: str = "", call: str = "", **other: str
    ) -> Message:
        """Send a request outside of a dialog; `other` replaces headers (`from_`, `cseq`, `via`, `hops`, `contact`)."""
        self._count += 1
        number = self._count
        host, port = self.host, self.address[1]
        transport = self.network.flow_of(self.address).transport.upper()
        via = other.get("via", f"SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{self.username}x{port}x{number};rport")
        contacts = other.get("contact", f"<{self.contact}>")
        contact = f"Contact: {contacts}\r\n" if contacts else ""
        text = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: {via}\r\n"
            f"Max-Forwards: {other.get('hops', '70')}\r\n"
            f"From: {other.get('from_', f'<sip:{self.username}@{DOMAIN}>')};tag=from-{self.username}-{port}\r\n"
            f"To: {to or f'<{uri}>'}\r\n"
            f"Call-ID: {call or f'call-{self.username}-{port}-{number}'}\r\n"
            f"CSeq: {other.get('cseq', str(number))} {method}\r\n"
            f"{contact}{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        message = parse(text.encode())
        self.send(message)
        return message

    def send(self, message: Message) -> None:
        """Send any message."""
        self.network.send(bytes(message), self.address, self.edge)

    def authenticated(self, method: str, uri: str, **arguments: str) -> Message:
        """Send a request, answer the challenge, and let the network come to rest; the request that was let in."""
        first = self.request(method, uri, **arguments)
        self.network.run()
        challenge = self.responses[-1]
        assert challenge.status in (401, 407), challenge.status
        if method == "INVITE":
            self.acknowledge_refusal(first, challenge)
        headers = arguments.pop("headers", "") + self.credentials(challenge, method, uri)
        second = self.request(method, uri, headers=headers, **arguments)
        self.network.run()
        return second

    def credentials(self, challenge: Message, method: str, uri: str, nc: str = "00000001") -> str:
        """The header that answers a challenge."""
        proxy = challenge.status == 407
        value = challenge.need(b"proxy-authenticate" if proxy else b"www-authenticate")
        given = parse_credentials(value)
        algorithm, name = given[b"algorithm"], f"auth{self.username}"
        secret = hash_of(algorithm.decode(), name, given[b"realm"].decode(), self.password).encode()
        proof = response_value(
            algorithm, secret, method.encode(), uri.encode(), given[b"nonce"], nc.encode(), b"c", b"auth"
        )
        header = "Proxy-Authorization" if proxy else "Authorization"
        realm, nonce = given[b"realm"].decode(), given[b"nonce"].decode()
        return (
            f'{header}: Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{proof.decode()}", algorithm={algorithm.decode()}, qop=auth, nc={nc}, cnonce="c"\r\n'
        )

    def register(self, **arguments: str) -> Message:
        """Register, answering a challenge; the final response. Arguments as for `request`."""
        uri = f"sip:{DOMAIN}"
        headers = arguments.pop("headers", "")
        arguments.setdefault("to", f"<sip:{self.username}@{DOMAIN}>")
        arguments.setdefault("call", f"register-{self.username}-{self.address[0]}-{self.address[1]}")
        self.request("REGISTER", uri, headers=headers, **arguments)
        self.network.run()
        if self.responses[-1].status == 401:
            answer = self.credentials(self.responses[-1], "REGISTER", uri)
            self.request("REGISTER", uri, headers=headers + answer, **arguments)
            self.network.run()
        return self.responses[-1]

    def acknowledge_refusal(self, invite: Message, response: Message) -> None:
        """The ACK of a final response other than 2xx."""
        self.send(_follow_up(invite, b"ACK", response.need(b"to")))

    def cancel(self, invite: Message) -> None:
        """Take an INVITE back."""
        self.send(_follow_up(invite, b"CANCEL", invite.need(b"to")))

    def in_dialog(
        self,
        method: str,
        invite: Message,
        answer: Message,
        as_callee: bool = False,
        cseq: int = 0,
        headers: str = "",
        body: str = "",
    ) -> Message:
        """Send a request within a dialog, by the route set that its INVITE recorded."""
        self._count += 1
        if as_callee:
            routes, peer = invite.values(b"record-route"), invite
            own, other = answer.need(b"to"), answer.need(b"from")
        else:
            routes, peer = answer.values(b"record-route")[::-1], answer
            own, other = answer.need(b"from"), answer.need(b"to")
        target = NameAddr.parse(peer.values(b"contact")[0]).uri.text
        number = answer.cseq[0] if method == "ACK" else cseq or 100 + self._count
        host, port = self.host, self.address[1]
        transport = self.network.flow_of(self.address).transport.upper()
        lines = [
            method.encode() + b" " + target + b" SIP/2.0",
            f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bKd{self.username}{port}d{self._count};rport".encode(),
            *(b"Route: " + route for route in routes),
            b"Max-Forwards: 70",
            b"From: " + own,
            b"To: " + other,
            b"Call-ID: " + invite.call_id,
            b"CSeq: %d " % number + method.encode(),
            f"Contact: <{self.contact}>\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode(),
        ]
        message = parse(b"\r\n".join(lines))
        self.send(message)
        return message

    # -- hearing

    def arrived(self, data: bytes, source: Address) -> None:
        """See `Node`."""
        del source
        message = parse(data)
        if message.status:
            self.responses.append(message)
            return
        self.requests.append(message)
        if message.method == b"INVITE":
            self._pending[message.via.branch] = message
            for status in self.answers:
                self.answer(status, message)
        elif message.method == b"CANCEL":
            self._respond(message, 200)
            invite = self._pending.pop(message.via.branch, None)
            if invite is not None:
                self._respond(invite, 487)
        elif message.method != b"ACK":
            self._respond(message, self.other_status)

    @property
    def ringing(self) -> Message:
        """The INVITE that it was called with last."""
        return [one for one in self.requests if one.method == b"INVITE"][-1]

    def answer(
        self, status: int, invite: Message | None = None, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> Message:
        """Answer an INVITE, by default the last."""
        invite = invite or self.ringing
        if status >= 200:
            self._pending.pop(invite.via.branch, None)
        return self._respond(invite, status, headers)

    def _respond(self, request: Message, status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Message:
        own = [(b"Record-Route", value) for value in request.values(b"record-route")]
        own.append((b"Contact", f"<{self.contact}>".encode()))
        tag = f"to-{self.username}-{self.address[0]}".encode()
        data = response_bytes(request, status, b"", (*own, *headers), tag)
        if self.sdp and request.method == b"INVITE" and 100 < status < 300:
            described = parse(data)
            described.append(b"Content-Type", b"application/sdp")
            described.set(b"Content-Length", b"%d" % len(self.sdp))
            described.body = self.sdp
            data = bytes(described)
        self.network.send(data, self.address, self.edge)
        return parse(data)


def _follow_up(invite: Message, method: bytes, to: bytes) -> Message:
    lines = [
        method + b" " + invite.uri + b" SIP/2.0",
        b"Via: " + invite.all(b"via")[0],
        b"Max-Forwards: 70",
        b"From: " + invite.need(b"from"),
        b"To: " + to,
        b"Call-ID: " + invite.call_id,
        b"CSeq: %d " % invite.cseq[0] + method,
        b"Content-Length: 0\r\n\r\n",
    ]
    return parse(b"\r\n".join(lines))
