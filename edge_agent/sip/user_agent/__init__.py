"""The user agent core (RFC 3261 §8, §13–15): calls that end here, handed to a `MediaPlane`. No I/O."""

from edge_agent.sip.user_agent.agent import UserAgent, UserAgentSettings
from edge_agent.sip.user_agent.leg import Leg

__all__ = ["Leg", "UserAgent", "UserAgentSettings"]
