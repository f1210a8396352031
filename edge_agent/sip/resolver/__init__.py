"""From a URI's host to an address (RFC 3263), so far for numeric hosts only; nothing in here ever blocks."""

from edge_agent.sip.resolver.numeric import Unresolvable, flow_to, is_numeric

__all__ = ["Unresolvable", "flow_to", "is_numeric"]
