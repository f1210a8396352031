"""What the cloud asks an edge while somebody waits: commands whose result carries an answer in `content`.

An answer is JSON of the model named here, or a file in base64; a question that has no answer (a call that the edge does
not remember) is carried out with an empty one.
"""

from typing import Annotated, Final

from pydantic import Field

from contract.values import Frozen

CALL_LADDER: Final = "call_ladder"
"""Argument `sip_call_id`; answered by a `contract.sync.ladder.Ladder`."""
CALL_PCAP: Final = "call_pcap"
"""Argument `sip_call_id`; answered by a capture file (pcap) in base64."""
LIVE_CALLS: Final = "live_calls"
"""No argument; answered by `contract.sync.live_calls.CallsInProgress`."""
FIGURES: Final = "figures"
"""No argument; answered by `EdgeFigures`."""
DHCP_STATUS: Final = "dhcp_status"
"""No argument; answered by `contract.sync.dhcp.DhcpStatus`."""
CONFERENCES: Final = "conferences"
"""No argument; answered by `contract.sync.conferences.LiveConferences`."""
CONFERENCE_ORDER: Final = "conference_order"
"""Arguments `room`, `action`, `party`, `value`; answered by `contract.sync.conferences.ConferenceAnswer`."""
CONFERENCE_RECORDINGS: Final = "conference_recordings"
"""No argument; answered by `contract.sync.conferences.ConferenceRecordings`."""
DELETE_CONFERENCE_RECORDING: Final = "delete_conference_recording"
"""Argument `recording`; answered by those that are left, and whether it was there."""
QUEUES: Final = "queues"
"""No argument; answered by `contract.sync.queues.LiveQueues`."""
QUEUE_ATTEND: Final = "queue_attend"
"""Arguments `agent` and `supervisor` (user ids) and `action`; answered by `contract.sync.queues.QueueAttendAnswer`, as
soon as the supervisor's phones ring."""

MAX_ANSWER_CHARACTERS: Final = 1_500_000
"""What a hub takes in one message, with room for what is around it."""

FigureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,64}$")]


class EdgeFigures(Frozen):
    """Counters and gauges of an edge since its processes started."""

    processes: dict[FigureName, dict[FigureName, int]]
    """By process; `group.reason` where one figure is told apart by reason, such as `dropped.not_sip`."""
