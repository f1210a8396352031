"""The auto attendant: menus by the keys of the caller's phone."""

from edge_agent.media.applications.attendant.application import AutoAttendant
from edge_agent.media.applications.attendant.config import AttendantConfig, attendant_config, special_modes

__all__ = ["AttendantConfig", "AutoAttendant", "attendant_config", "special_modes"]
