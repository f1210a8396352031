"""Which way a request goes that the dial plan does not send: by its Route, or by its Request-URI (RFC 3261 §16.6)."""

from __future__ import annotations

from edge_agent.clock import Clock
from edge_agent.sip.config import SipConfig
from edge_agent.sip.gruu import Gruus, gruu_of
from edge_agent.sip.location import Binding, Location
from edge_agent.sip.message import Flow, Message, NameAddr, SipError, Uri
from edge_agent.sip.proxy.calls import Calls
from edge_agent.sip.proxy.routes import OwnAddresses
from edge_agent.sip.relaying.addresses import is_local, numeric
from edge_agent.sip.resolver import flow_for


class NextHops:
    """Finds the next hop.

    Args:
        own: names of this edge.
        location: bindings.
        gruus: names of single phones.
        calls: in progress.
        clock: by which bindings lapse.
        config: of the site.
    """

    def __init__(
        self, own: OwnAddresses, location: Location, gruus: Gruus, calls: Calls, clock: Clock, config: SipConfig
    ) -> None:
        self._own, self._location, self._gruus, self._calls, self._clock = own, location, gruus, calls, clock
        self._config = config

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration from here on."""
        self._config = config

    def next_hop(self, request: Message) -> tuple[Uri, Flow]:
        """The way to the topmost Route, or to the Request-URI (§16.6 steps 6 and 7).

        A phone that is registered is reached the way that its registration found: through its connection or NAT.
        """
        if request.has(b"route"):
            hop = request_route(request)
            if b"lr" not in hop.params:
                _suit_strict_router(request, hop)
            return hop, flow_for(hop)
        uri = request.request_uri()
        binding = self._location.at_contact(uri.text)
        if binding is not None:
            return uri, binding.flow
        if self._own.are(uri):
            if b"gr" not in uri.params:
                raise SipError(404, "Not Found")
            binding = self._phone_of(self._gruus.resolved(uri, self._clock.monotonic()))
            request.set_uri(binding.contact)
            for value in reversed(binding.path):
                request.insert(request.index(b"via") + 1, b"Route", value)
            return binding.uri, binding.flow
        return uri, self._way_home(request, uri) or flow_for(uri)

    def _way_home(self, request: Message, uri: Uri) -> Flow | None:
        """The way by which a phone behind a NAT came into its call; None: the URI says where it is.

        Over a connection, some name the port that they send from, which is not the one that they registered.
        """
        address = numeric(uri.address or "")
        if address is None or not is_local(address) or not request.to_tag:
            return None
        call = self._calls.of_dialog(request)
        if call is None:
            return None
        way = call.caller_flow if request.to_tag == call.caller_tag else call.callee_flow
        if way is None or numeric(way.host) in (None, address) or not self._location.knows_host(way.host):
            return None
        return way

    def _phone_of(self, uri: Uri) -> Binding:
        """The phone whose GRUU this is, newest flow first.

        Raises:
            SipError: it is not registered (RFC 5627 §5.1).
        """
        user = self._config.plan.dialled.get(uri.dialled)
        now = self._clock.monotonic()
        bindings = self._location.of_user(user.user_id, now) if user is not None else []
        found = [one for one in bindings if one.instance and gruu_of(one.instance) == uri.params[b"gr"]]
        if not found:
            raise SipError(480, "Temporarily Unavailable")
        return found[-1]


def _suit_strict_router(request: Message, hop: Uri) -> None:
    """A router of RFC 2543 wants itself in the Request-URI and the real one last in Route (§16.6 step 6)."""
    routes = request.values(b"route")[1:]
    request.remove(b"route")
    for value in (*routes, b"<" + request.uri + b">"):
        request.append(b"Route", value)
    request.set_uri(hop.text)


def request_route(request: Message) -> Uri:
    """The URI of the topmost Route."""
    return NameAddr.parse(request.values(b"route")[0], "Route").uri
