"""Call queues at this moment, as an edge tells of them when it is asked; their history comes as events."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.queue_state import AgentPresence
from contract.values import Frozen, Id, Text, UtcTime

MAX_QUEUES: Final = 200
MAX_CALLERS: Final = 100
SERVICE_LEVEL_SECONDS: Final = 20
"""Callers whom an agent answers within this time count as served in time, unless somebody asks for another."""

AgentDoing = Literal["idle", "ringing", "talking", "wrapping_up", "resting"]
"""What an agent does; `resting`: did not answer or refused, and is left alone for a moment."""
Attending = Literal["listen", "whisper", "barge"]
"""How a supervisor takes part in an agent's call: unheard, heard by the agent alone, heard by both."""

Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class LiveCaller(Frozen):
    """Somebody who waits."""

    call_id: Id
    """Of the event that the wait or the call ends in (`contract.sync.queue_events.QueueCallEnded`)."""
    number: Text
    name: Text = ""
    came_at: UtcTime
    ringing: bool = False
    """Whether an agent's phones ring for this caller."""
    wants_call_back: bool = False
    """Does not wait at the phone: is called back when it is his turn."""


class LiveAgent(Frozen):
    """One agent of a queue."""

    user_id: Id
    presence: AgentPresence
    presence_since: UtcTime | None = None
    """None: never logged in or out."""
    doing: AgentDoing = "idle"
    """At all queues together: an agent of several is one person."""
    since: UtcTime | None = None
    """Since when he does so; None: has done nothing yet since the edge started."""
    queue_id: Id | None = None
    """Of the call he is in."""


class LiveQueue(Frozen):
    """One queue, and its day so far: since midnight in UTC, or since the edge started."""

    queue_id: Id
    name: Text
    extension: Text
    callers: Annotated[tuple[LiveCaller, ...], Field(max_length=MAX_CALLERS)] = ()
    """The first one first; of more only so many are told."""
    agents: Annotated[tuple[LiveAgent, ...], Field(max_length=100)] = ()
    """In the order of the queue's list."""
    answered: Count = 0
    abandoned: Count = 0
    overflowed: Count = 0
    """Sent on, or told that nobody could answer."""
    in_time: Count = 0
    """Answered within `level_seconds`."""
    level_seconds: Count = SERVICE_LEVEL_SECONDS
    longest_wait_seconds: Seconds = 0.0
    """Of those who were answered or hung up."""
    average_wait_seconds: Seconds | None = None
    """Of those who were answered; None: nobody was."""
    expected_wait_seconds: Seconds | None = None
    """Of whoever came now; None: that cannot be said yet."""


class LiveQueues(Frozen):
    """Every queue at an edge that is switched on."""

    at: UtcTime
    queues: Annotated[tuple[LiveQueue, ...], Field(max_length=MAX_QUEUES)] = ()


class QueueAttendAnswer(Frozen):
    """What came of a supervisor's wish: his phones ring now, or why they do not."""

    refused: Literal["no_call", "no_phone"] | None = None
    """The agent is in no call of a queue; the supervisor's phones cannot be rung."""
