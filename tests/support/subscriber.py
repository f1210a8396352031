"""A phone that subscribes to events and reads what it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from edge_agent.sip.message import Message, NameAddr, parse, response_bytes
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone

NAMESPACES = {
    "r": "urn:ietf:params:xml:ns:reginfo",
    "gr": "urn:ietf:params:xml:ns:gruuinfo",
    "p": "urn:ietf:params:xml:ns:pidf",
}


@dataclass
class Subscriber(SipPhone):
    """Answers NOTIFYs with `status`; None: not at all."""

    status: int | None = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    notifies: list[Message] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def arrived(self, data: bytes, source: Address) -> None:
        """See `Node`."""
        message = parse(data)
        if message.method != b"NOTIFY":
            super().arrived(data, source)
            return
        self.notifies.append(message)
        self.at.append(self.network.clock.monotonic())
        if self.status is not None:
            answer = response_bytes(message, self.status, b"", self.headers, b"t")
            self.network.send(answer, self.address, self.edge)

    def subscribe(self, to: str, event: str = "reg", expires: int | None = 600, headers: str = "") -> Message:
        """Subscribe to a user's events; the final response."""
        wanted = "" if expires is None else f"Expires: {expires}\r\n"
        self.first = self.authenticated("SUBSCRIBE", uri(to), headers=f"Event: {event}\r\n{wanted}{headers}")
        return self.responses[-1]

    def refresh(self, accepted: Message, expires: int = 600, event: str = "reg", cseq: int = 0) -> Message:
        """Subscribe again within the dialog; the final response."""
        self._count += 1
        target = NameAddr.parse(accepted.values(b"contact")[0]).uri.text.decode()
        host, port = self.address
        transport = self.network.flow_of(self.address).transport.upper()
        text = (
            f"SUBSCRIBE {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bKr{self.username}{port}r{self._count};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {accepted.need(b'from').decode()}\r\nTo: {accepted.need(b'to').decode()}\r\n"
            f"Call-ID: {accepted.call_id.decode()}\r\nCSeq: {cseq or 100 + self._count} SUBSCRIBE\r\n"
            f"Contact: <{self.contact}>\r\nEvent: {event}\r\nExpires: {expires}\r\nContent-Length: 0\r\n\r\n"
        )
        self.send(parse(text.encode()))
        self.network.run()
        return self.responses[-1]

    @property
    def states(self) -> list[str]:
        """Subscription-State of each NOTIFY, without how long it lasts."""
        return [re.sub(r";expires=\d+", "", (one.get(b"subscription-state") or b"").decode()) for one in self.notifies]

    @property
    def document(self) -> ET.Element:
        """The newest document."""
        return ET.fromstring(self.notifies[-1].body)


def subscriber(
    site: MemorySite, username: str = "200", *, registered: bool = True, tcp: bool = False, host: str = ""
) -> Subscriber:
    """A phone of a user that can subscribe."""
    site._next += 1
    phone = Subscriber(site.network, (host or f"192.0.2.{site._next}", 5060), EDGE, username)
    if tcp:
        site.network.connect(phone.address)
    if registered:
        assert phone.register().status == 200
        phone.responses.clear()
    return phone
