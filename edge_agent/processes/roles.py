"""Which process does what: the modules they run, the commands and questions they take, the services they offer."""

from typing import Final

from contract.sync.call_recordings import DELETE_CALL_RECORDING
from contract.sync.mailbox_events import CHANGE_MESSAGE
from contract.sync.questions import (
    CALL_LADDER,
    CALL_PCAP,
    CONFERENCE_ORDER,
    CONFERENCE_RECORDINGS,
    CONFERENCES,
    DELETE_CONFERENCE_RECORDING,
    DHCP_STATUS,
    LIVE_CALLS,
    QUEUE_ATTEND,
    QUEUES,
)

MODULES: Final = {
    "sip": "edge_agent.processes.sip",
    "provisioning": "edge_agent.processes.provisioning",
    "media": "edge_agent.processes.media",
}
"""The agent's processes: what each runs."""
ORDERS: Final = {
    "report_registrations": "sip",
    "resync_phones": "provisioning",
    CHANGE_MESSAGE: "media",
    DELETE_CALL_RECORDING: "media",
}
"""Commands of the cloud that a process carries out."""
QUESTIONS: Final = {
    CALL_LADDER: "sip",
    CALL_PCAP: "sip",
    LIVE_CALLS: "sip",
    DHCP_STATUS: "provisioning",
    CONFERENCES: "media",
    CONFERENCE_ORDER: "media",
    CONFERENCE_RECORDINGS: "media",
    DELETE_CONFERENCE_RECORDING: "media",
    QUEUES: "media",
    QUEUE_ATTEND: "media",
}
"""Commands that a process answers with content."""
SERVICES: Final = {
    "echo_test": "echo",
    "music_on_hold": "music",
    "confirmed": "confirmed",
    "declined": "declined",
    "voicemail": "voicemail",
    "hot_desk": "hot_desk",
    "find_me": "find_me",
    "music": "music",
    "park": "park",
    "paging": "paging",
    "announcement": "announcement",
    "authorization": "authorization",
    "attendant": "attendant",
    "queue": "queue",
    "mailbox": "voicemail",
    "fax": "fax",
    "conference": "conference",
    "user_conferences": "conference",
}
"""Voice services by their name in the dial plan: what reaches each at the media process."""
