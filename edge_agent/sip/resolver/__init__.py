"""From a URI's host to addresses (RFC 3263): NAPTR, SRV, A and AAAA; nothing in here ever blocks."""

from edge_agent.sip.resolver.hops import Hop, Naptr, Srv
from edge_agent.sip.resolver.numeric import Unresolvable, flow_for, flow_to, is_numeric
from edge_agent.sip.resolver.resolver import Answer, Lookup, LookupFailed, Resolver, Wanted

__all__ = [
    "Answer",
    "Hop",
    "Lookup",
    "LookupFailed",
    "Naptr",
    "Resolver",
    "Srv",
    "Unresolvable",
    "Wanted",
    "flow_for",
    "flow_to",
    "is_numeric",
]
