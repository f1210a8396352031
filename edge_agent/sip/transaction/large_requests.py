"""Which requests are too long for UDP, and who is known not to take them by TCP (RFC 3261 §18.1.1)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from edge_agent.sip.message import BadMessage, Flow, Limits, Message, NameAddr

VIA_BYTES: Final = 120
"""What our own Via adds, roughly."""
REFUSED_SECONDS: Final = 3_600.0
REMEMBERED: Final = 2_000


class LargeRequests:
    """Decides on the way of each request; remembers peers that refused TCP."""

    __slots__ = ("_refused",)

    def __init__(self) -> None:
        self._refused: dict[tuple[str, int], float] = {}

    def flow(self, request: Message, flow: Flow, limits: Limits, now: float) -> Flow:
        """The flow to take: another one only for a long request to a peer that may have TCP.

        A peer may have TCP when the URI that leads to it (Route, else Request-URI) names the very address of the flow,
        or the name that it was found for, so that no NAT stands between, and does not ask for UDP. Loopback carries
        every length.
        """
        if flow.transport != "udp" or flow.connection:
            return flow
        length = sum(map(len, request.lines)) + 2 * len(request.lines) + len(request.body) + VIA_BYTES
        if length <= limits.udp_request_bytes or not self._may_have_tcp(request, flow, now):
            return flow
        return Flow("tcp", flow.host, flow.port)

    def refused(self, flow: Flow, now: float) -> None:
        """This peer has no TCP: for the next hour its requests go by UDP, whatever their length."""
        self._refused.pop((flow.host, flow.port), None)
        self._refused[flow.host, flow.port] = now + REFUSED_SECONDS
        if len(self._refused) > REMEMBERED:
            del self._refused[next(iter(self._refused))]

    def _may_have_tcp(self, request: Message, flow: Flow, now: float) -> bool:
        if self._refused.get((flow.host, flow.port), 0.0) > now or ip_address(flow.host).is_loopback:
            return False
        try:
            routes = request.values(b"route")
            uri = NameAddr.parse(routes[0], "Route").uri if routes else request.request_uri()
        except BadMessage:
            return False
        return not uri.transport and uri.is_sip and uri.address.lower() in (flow.host, flow.name)
