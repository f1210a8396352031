"""Voicemail: leaving messages, and listening to them by the keys of a telephone."""

from edge_agent.media.applications.voicemail.application import Voicemail
from edge_agent.media.applications.voicemail.config import Mailbox, VoicemailConfig

__all__ = ["Mailbox", "Voicemail", "VoicemailConfig"]
