"""The site's gateways as SIP peers: who they are by address, and how a call is sent to one.

A gateway is trusted by its address, unless the plan says that it is not: what it asserts counts, and its calls need no
digest. It is reached by the dial plan only. The proxy writes the caller ID that it gets: phones do not know the numbers
that calls leave with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.dialplan import Outward
from contract.snapshot import Gateway, SiteLink, Trunk
from edge_agent.sip.message import Flow, Message, Uri, escaped_user
from edge_agent.sip.resolver import flow_for
from edge_agent.sip.resolver.numeric import DEFAULT_PORT, DEFAULT_TLS_PORT, is_numeric

_ANONYMOUS: Final = b'"Anonymous" <sip:anonymous@anonymous.invalid>'
"""RFC 3323 §4.1.1.3."""


class Gateways:
    """The gateways that are switched on.

    Args:
        gateways: of the plan.
    """

    __slots__ = ("_by_address", "_by_stream", "hosts")

    def __init__(self, gateways: Iterable[Gateway]) -> None:
        self._by_address: dict[tuple[str, int], str] = {}
        self._by_stream: dict[str, str] = {}
        """Streams come from any port of the gateway."""
        hosts: set[str] = set()
        for gateway in gateways:
            if isinstance(gateway, Trunk):
                continue
            hosts.add(gateway.host)
            if isinstance(gateway, SiteLink) or not gateway.trusted or not is_numeric(gateway.host):
                continue
            port = gateway.port or (DEFAULT_TLS_PORT if gateway.transport == "tls" else DEFAULT_PORT)
            self._by_address[gateway.host, port] = gateway.gateway_id
            if gateway.transport != "udp":
                self._by_stream[gateway.host] = gateway.gateway_id
        self.hosts = frozenset(hosts)
        """Their addresses and names."""

    def at(self, flow: Flow) -> str | None:
        """The id of the gateway at the other end of a flow."""
        found = self._by_address.get((flow.host, flow.port))
        if found is None and self._by_stream and flow.reliable:
            return self._by_stream.get(flow.host)
        return found


@dataclass(frozen=True, slots=True)
class CallerId:
    """What a call to a gateway shows.

    Args:
        asserted: value of P-Asserted-Identity; empty takes it away, None leaves it.
        shown: From without its tag; None leaves it.
        private: whether the public network is not to show it (RFC 3323).
    """

    asserted: bytes | None
    shown: bytes | None
    private: bool

    def write(self, request: Message) -> bytes | None:
        """Put it into a request.

        Returns:
            The From that it had, to be put back into responses; None: it is what it was.
        """
        if self.asserted is not None:
            request.remove(b"p-asserted-identity")
            if self.asserted:
                request.append(b"P-Asserted-Identity", self.asserted)
        if self.private:
            request.set(b"Privacy", b"id")
        if self.shown is None:
            return None
        before = request.need(b"from")
        request.set(b"From", self.shown + b";tag=" + request.from_tag)
        return before


HIDDEN: Final = CallerId(None, _ANONYMOUS, private=True)
"""What a phone of the site is shown of a caller who hides."""


def uri_at(gateway: Gateway, number: str) -> Uri:
    """A number at a gateway."""
    params: dict[bytes, bytes | None] = {}
    if gateway.transport != "udp":
        params[b"transport"] = gateway.transport.encode()
    user = escaped_user(number)
    return Uri(gateway.host.encode(), user, gateway.port, params=params)


def way_to(gateway: Gateway) -> Flow:
    """The flow to a gateway; its name, if it has one, is looked up by the transport."""
    return flow_for(uri_at(gateway, ""))


def caller_id_of(gateway: Gateway, outward: Outward, domain: str) -> CallerId:
    """What a call shows.

    Args:
        gateway: where it goes.
        outward: with the number.
        domain: of the site, the host of the number.
    """
    asserted = shown = None
    if isinstance(gateway, SiteLink):
        return HIDDEN if outward.anonymous else CallerId(None, None, private=False)
    if isinstance(gateway, Trunk):
        # The trunk's user agent writes what the provider sees; it is told the number, and of no other identity.
        user = escaped_user(outward.caller_id or "")
        told = b"<sip:" + user + b"@" + domain.encode() + b">" if user else b""
        return CallerId(told, None, private=outward.anonymous and not outward.emergency)
    # Who is not trusted is told by From alone (RFC 3325 §5), unless somebody calls for help.
    told_apart = gateway.trusted or outward.emergency
    if outward.caller_id:
        user = escaped_user(outward.caller_id)
        number = b"<sip:" + user + b"@" + domain.encode() + b">"
        asserted = number if gateway.caller_id_in != "from" else None
        shown = number if gateway.caller_id_in != "asserted" or not told_apart else None
    if not told_apart:
        asserted = b""
    if outward.anonymous and not outward.emergency:
        return CallerId(asserted, _ANONYMOUS, private=True)
    return CallerId(asserted, shown, private=False)
