"""How far requests go: the site, its phones and services, and whom the dial plan allows; nobody else's relay."""

from __future__ import annotations

from edge_agent.sip.config import SipConfig
from edge_agent.sip.location import Location
from edge_agent.sip.message import DropReason, Flow, Message, Refused, Uri
from edge_agent.sip.proxy.calls import Calls
from edge_agent.sip.proxy.routes import OwnAddresses, Proof, RouteBook
from edge_agent.sip.trust import Trust


class Reach:
    """Refuses next hops that are none of the site's business.

    Args:
        own: names of this edge.
        routes: reads proofs.
        location: where phones are.
        calls: where those in progress went.
        config: of the site.
        trust: who is reached by the dial plan only, and within dialogs.
    """

    def __init__(
        self, own: OwnAddresses, routes: RouteBook, location: Location, calls: Calls, config: SipConfig, trust: Trust
    ) -> None:
        self._own = own
        self._routes = routes
        self._location = location
        self._calls = calls
        self._trust = trust
        self.configure(config)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._foreign = frozenset(host.encode() for host in config.foreign_hosts)
        self._gateway_hosts = config.gateways.hosts

    def check_new(self, hop: Uri, flow: Flow) -> None:
        """Whether a request of its own may go there.

        Services and gateways of the site are reached by the dial plan only, which asks for permissions.

        Args:
            hop: the topmost Route or the Request-URI.
            flow: the way to it.

        Raises:
            Refused: 403.
        """
        known = self._location.knows_host(flow.host) and not self._trust.covers(flow)
        if self._own.leads_here(flow) or not (known or hop.host in self._foreign):
            raise _foreign_destination()

    def check_in_dialog(self, request: Message, hop: Uri, flow: Flow, proof: Proof) -> None:
        """Whether a request within a dialog may go there: the proof says that there is a dialog, not where to.

        Raises:
            Refused: 403.
        """
        if self._location.knows_host(flow.host) or self._trust.covers(flow) or flow.host in self._gateway_hosts:
            return
        if hop.host in self._foreign or self._routes.is_caller(proof, request, flow.host):
            return
        call = self._calls.of_dialog(request)
        if call is not None and call.callee_flow is not None and call.callee_flow.host == flow.host:
            # A gateway that is given by name: where its name led when it answered.
            return
        raise _foreign_destination()


def _foreign_destination() -> Refused:
    return Refused(DropReason.FOREIGN_DESTINATION, 403, "Foreign Destination Not Allowed")
