"""Conference rooms: who may in, what is heard of those who come and go, and what can be done meanwhile."""

from edge_agent.media.applications.conference.application import ConferenceRooms
from edge_agent.media.applications.conference.config import ConferenceConfig, conference_config

__all__ = ["ConferenceConfig", "ConferenceRooms", "conference_config"]
