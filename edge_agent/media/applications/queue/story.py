"""What is told of a caller of a queue once all is over: how long the wait, who was rung, who answered. Pure."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from contract.sync.queue_events import MAX_OFFERS, OfferResult, QueueCallEnded, QueueOffer, QueueOutcome

_TEXT_CHARACTERS = 255


@dataclass(slots=True)
class CallerStory:
    """One caller.

    Args:
        call_id: a name that nobody else has.
        queue_id, queue_name: where he came to, as it was called then.
        number, name: who calls.
        came_at: when.
    """

    call_id: str
    queue_id: str
    queue_name: str
    number: str
    name: str
    came_at: datetime
    answered_at: datetime | None = None
    left_at: datetime | None = None
    """When he waited no longer, without an agent."""
    outcome: QueueOutcome = "abandoned"
    sent_to: str = ""
    agent_id: str | None = None
    wrap_up_seconds: float = 0.0
    _offers: list[QueueOffer] = field(default_factory=list)
    _ringing: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number, self.name = _line(self.number), _line(self.name)

    @classmethod
    def of(cls, told: QueueCallEnded) -> CallerStory:
        """The story of a caller that goes on, as far as it was told."""
        story = cls(told.call_id, told.queue_id, told.queue_name, told.caller, told.caller_name, told.came_at)
        story._offers.extend(told.offers)
        return story

    @property
    def shown(self) -> str:
        """Who calls, for agents to see."""
        return self.name or self.number

    def offered(self, user_id: str, at: datetime) -> None:
        """An agent is rung."""
        self._ringing[user_id] = at

    def offer_over(self, user_id: str, at: datetime, result: OfferResult) -> None:
        """An agent is rung no longer; what is told first counts."""
        began = self._ringing.pop(user_id, None)
        if began is not None and len(self._offers) < MAX_OFFERS:
            seconds = max(0.0, (at - began).total_seconds())
            self._offers.append(QueueOffer(user_id=user_id, at=began, seconds=seconds, result=result))

    def answered(self, agent_id: str, at: datetime, wrap_up_seconds: float, called_back: str = "") -> None:
        """An agent has the caller.

        Args:
            agent_id: who.
            at: when.
            wrap_up_seconds: how long he will be left alone afterwards.
            called_back: the number at which the caller was called for it.
        """
        self.outcome = "called_back" if called_back else "answered"
        self.agent_id, self.answered_at, self.sent_to = agent_id, at, _line(called_back)
        self.wrap_up_seconds = wrap_up_seconds

    def left(self, outcome: QueueOutcome, at: datetime, sent_to: str) -> None:
        """The caller waits no longer, and goes on."""
        self.outcome, self.left_at, self.sent_to = outcome, at, _line(sent_to)

    def sent_on(self, to: str) -> str:
        """The agent sends the caller on; where it was said that he went before, to say so again if that fails."""
        before, self.sent_to = self.sent_to, _line(to)
        return before

    def so_far(self, now: datetime) -> QueueCallEnded:
        """The whole if all ended now; the story goes on."""
        return deepcopy(self).told(now)

    def told(self, now: datetime) -> QueueCallEnded:
        """The whole; whoever neither was answered nor went on hung up."""
        for user_id in list(self._ringing):
            self.offer_over(user_id, now, "other")
        return QueueCallEnded(
            call_id=self.call_id,
            queue_id=self.queue_id,
            queue_name=self.queue_name,
            caller=self.number,
            caller_name=self.name,
            came_at=self.came_at,
            answered_at=self.answered_at,
            ended_at=max(self.came_at, self.answered_at or self.came_at, self.left_at or now),
            outcome=self.outcome,
            sent_to=self.sent_to,
            agent_id=self.agent_id,
            wrap_up_seconds=self.wrap_up_seconds,
            offers=tuple(sorted(self._offers, key=lambda one: one.at)),
        )


def ended_by_a_kill(told: QueueCallEnded, now: datetime) -> QueueCallEnded:
    """What became of a caller whose call ended with the process: it was found out now."""
    return told.model_copy(update={"ended_at": max(told.ended_at, now)})


def _line(words: str) -> str:
    """What a caller says of himself, as one line of bounded length."""
    return "".join(one for one in words if one >= " " and one != "\x7f")[:_TEXT_CHARACTERS]
