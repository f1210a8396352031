"""The stateful proxy (RFC 3261 §16): validation, routing, forking, and a record for each call."""

from edge_agent.sip.proxy.calls import Calls
from edge_agent.sip.proxy.core import ProxyCore
from edge_agent.sip.proxy.routes import OwnAddresses

__all__ = ["Calls", "OwnAddresses", "ProxyCore"]
