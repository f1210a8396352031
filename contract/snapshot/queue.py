"""Call queues (ACD): callers wait with music until an agent of theirs is free.

Who is logged in is no part of a queue: it is site state (`contract.queue_state`), changed by feature codes and kept at
the site.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from contract.snapshot.music import OwnMusic
from contract.snapshot.served import Served
from contract.snapshot.user import PERMISSIONS, User
from contract.snapshot.voicemail import Language
from contract.values import Frozen, Id, SipUser

MOST_QUEUES_OF_AN_AGENT: Final = 16
"""A log-in at all of one's queues is one change of the site's state."""

QueueStrategy = Literal["ring_all", "longest_idle", "round_robin", "skills"]
"""Whose phones ring: all at once, or one agent at a time: who has been idle the longest, who comes next in the list, or
who has the highest skill (among equals who has been idle the longest)."""


class QueueAgent(Frozen):
    """Who answers callers of a queue."""

    user_id: Id
    skill: Annotated[int, Field(ge=1, le=10)] = 5
    """10 is the best."""


class CallBackOffer(Frozen):
    """Callers may press a key and hang up: they keep their place, and are called when it is their turn."""

    key: Annotated[str, Field(pattern=r"^[0-9*]$")] = "1"
    after_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """How long a caller waits before it is offered; from then on it is with each announcement."""
    other_number: bool = True
    """Whether a caller may have another number called than the one that he shows."""
    permissions: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """What the calls may do beyond what is open to everybody; none: no outside line that asks for any. Users of the
    site are always called."""
    ring_seconds: Annotated[int, Field(ge=10, le=120)] = 40
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often somebody is called who does not answer."""
    retry_minutes: Annotated[int, Field(ge=1, le=240)] = 5
    keep_hours: Annotated[int, Field(ge=1, le=72)] = 12
    """How long a wish is kept that no agent had time for."""


class CallQueue(Served):
    """One queue."""

    kind: Literal["queue"] = "queue"
    strategy: QueueStrategy = "longest_idle"
    agents: Annotated[tuple[QueueAgent, ...], Field(max_length=100)] = ()
    begin_logged_in: bool = False
    """Whether agents count as logged in who never logged in or out."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 20
    """How long an agent's phones ring; then it is somebody else's turn."""
    wrap_up_seconds: Annotated[int, Field(ge=0, le=600)] = 5
    """How long an agent is left alone after a call."""
    supervisors: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    """Users who may listen to the agents' calls, whisper, and barge in."""
    language: Language = "en"
    """What is said in; a language that is not shipped is English."""
    welcome: bool = True
    """Whether callers are greeted before the music."""
    announce_seconds: Annotated[int, Field(ge=0, le=600)] = 60
    """How often callers are told how things stand; 0: never."""
    announce_position: bool = True
    announce_wait: bool = True
    """Whether they are told how long it will take, as soon as that can be said."""
    most_waiting: Annotated[int, Field(ge=1, le=100)] = 20
    longest_wait_seconds: Annotated[int, Field(ge=10, le=7200)] = 900
    overflow_to: SipUser | None = None
    """Where callers go for whom there is no room, or who waited too long; None: they are told so, and hung up."""
    waits_for_agents: bool = False
    """Whether callers wait also while nobody is logged in."""
    nobody_to: SipUser | None = None
    """Where callers go while nobody is logged in, if they do not wait; None: as `overflow_to`."""
    leave_key: Annotated[str, Field(pattern=r"^[0-9*#]?$")] = ""
    """What a caller presses who waits no longer, and goes to `overflow_to`; empty: there is no such key."""
    call_back: CallBackOffer | None = None
    """What callers may choose instead of waiting; None: nothing."""
    music: OwnMusic | None = None
    """What callers hear who wait; None: that of the site."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        counted = Counter(one.user_id for one in self.agents)
        if twice := sorted(user_id for user_id, count in counted.items() if count > 1):
            raise ValueError(f"{self.name} has the agent {twice[0]} twice")
        if 0 < self.announce_seconds < 15:
            raise ValueError(f"{self.name} announces every {self.announce_seconds} s: 0 for never, or 15 to 600")
        for what, number in (("overflow_to", self.overflow_to), ("nobody_to", self.nobody_to)):
            if number in self.names:
                raise ValueError(f"{what} of {self.name} is the queue itself")
        if self.leave_key and self.overflow_to is None:
            raise ValueError(f"{self.name} has a leave_key, which leads to overflow_to: say where that is")
        if self.call_back is not None and self.call_back.key == self.leave_key:
            raise ValueError(f"{self.name} has {self.leave_key} as leave_key and for call_back: take two keys")
        return self

    def skill_of(self, user_id: str) -> int:
        """Of an agent; 0: he is none."""
        return next((one.skill for one in self.agents if one.user_id == user_id), 0)


def queue_problems(services: Sequence[Served], users: Sequence[User]) -> Iterable[str]:
    """Agents and supervisors who are not there, and agents of too many queues."""
    user_ids = {user.user_id for user in users}
    queues = [one for one in services if isinstance(one, CallQueue)]
    for queue in queues:
        for agent in queue.agents:
            if agent.user_id not in user_ids:
                yield f"dial_plan: queue {queue.name} has the unknown agent {agent.user_id}"
        for supervisor in queue.supervisors:
            if supervisor not in user_ids:
                yield f"dial_plan: queue {queue.name} has the unknown supervisor {supervisor}"
        for permission in queue.call_back.permissions if queue.call_back is not None else ():
            if permission not in PERMISSIONS:
                yield f"dial_plan: queue {queue.name} calls back with the unknown permission {permission!r}"
    for user_id, count in Counter(agent.user_id for queue in queues for agent in queue.agents).items():
        if count > MOST_QUEUES_OF_AN_AGENT:
            yield f"dial_plan: {user_id} is an agent of {count} queues, at most {MOST_QUEUES_OF_AN_AGENT} are allowed"


def queue_warnings(services: Sequence[Served]) -> Iterable[str]:
    """Queues that nobody can answer."""
    for queue in services:
        if isinstance(queue, CallQueue) and queue.enabled and not queue.agents:
            yield f"{queue.name} has no agents: every call to it goes on to its overflow, or ends"
