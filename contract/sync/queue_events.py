"""What became of a caller of a call queue: one event for each, when the wait or the call is over."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.values import Frozen, Id, Text, UtcTime

MAX_OFFERS: Final = 50
"""How often it is told who was rung; later ones are not."""

QueueOutcome = Literal[
    "answered", "abandoned", "full", "too_long", "left_by_key", "closed", "called_back", "not_reached"
]
"""An agent answered; the caller hung up; there was no room; it took too long; the caller pressed the key; nobody was
logged in; the caller asked to be called back, and was, or could not be reached."""
OfferResult = Literal["answered", "no_answer", "other"]
"""The agent took the call; did not, or refused; somebody else was faster, or the caller went."""


class QueueOffer(Frozen):
    """An agent who was rung for a caller."""

    user_id: Id
    at: UtcTime
    seconds: Annotated[float, Field(ge=0)]
    """How long the phones rang."""
    result: OfferResult


class QueueCallEnded(Frozen):
    """A caller of a queue, from coming to going."""

    kind: Literal["queue_call"] = "queue_call"
    call_id: Id
    """Opaque, unique for ever; the same one sent twice has the same."""
    queue_id: Id
    queue_name: Text
    """At that time."""
    caller: Text
    caller_name: Text = ""
    came_at: UtcTime
    answered_at: UtcTime | None = None
    ended_at: UtcTime
    """When the call with the agent was over; without one, when the caller left the queue."""
    outcome: QueueOutcome
    sent_to: Text = ""
    """Where the caller went on to, if anywhere, also by a transfer; else of who asked to be called back, the number
    that was called."""
    agent_id: Id | None = None
    wrap_up_seconds: Annotated[float, Field(ge=0)] = 0.0
    """How long the agent was left alone afterwards."""
    offers: Annotated[tuple[QueueOffer, ...], Field(max_length=MAX_OFFERS)] = ()
    """Who was rung, in turn."""
