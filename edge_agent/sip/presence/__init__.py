"""Events (RFC 6665): subscriptions to this edge, what is published to it (RFC 3903), and the packages. No I/O."""

from edge_agent.sip.presence.events import Events

__all__ = ["Events"]
