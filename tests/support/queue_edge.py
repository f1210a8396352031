"""Call queues as an edge tells of them, with some life in them, for pages that show them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contract.queue_state import AgentPresence
from contract.sync.messages import Command
from contract.sync.queues import AgentDoing, LiveAgent, LiveCaller, LiveQueue, LiveQueues, QueueAttendAnswer
from tests.support.answering_edge import Reply

_AGENTS: tuple[tuple[AgentPresence, AgentDoing], ...] = (
    ("in", "talking"),
    ("in", "idle"),
    ("paused", "idle"),
    ("in", "wrapping_up"),
    ("out", "idle"),
)


class QueueEdge:
    """A queue `support` at which three callers wait, and an empty one `sales`; supervisors are rung.

    Args:
        now: by the edge's clock.
        users: ids of the agents; they talk, are idle, pause, rest after a call, and are logged out, in turn.
    """

    def __init__(self, now: datetime, users: Sequence[str]) -> None:
        self.attended: list[dict[str, str]] = []
        agents = tuple(self._agent(now, user, place) for place, user in enumerate(users))
        callers = tuple(
            LiveCaller(
                call_id=f"c-{place}",
                number=number,
                name=name,
                came_at=now - timedelta(seconds=seconds),
                ringing=place == 0,
                wants_call_back=place == 2,
            )
            for place, (number, name, seconds) in enumerate(
                (("+49301234777", "Mill", 154), ("+49301234888", "", 71), ("+49301234999", "Café at the park", 12))
            )
        )
        support = LiveQueue(
            queue_id="support",
            name="Support",
            extension="610",
            callers=callers,
            agents=agents,
            answered=41,
            abandoned=4,
            overflowed=2,
            in_time=36,
            longest_wait_seconds=212,
            average_wait_seconds=17,
            expected_wait_seconds=95,
        )
        sales = LiveQueue(queue_id="sales", name="Sales", extension="611", agents=agents[1:2], answered=9, in_time=9)
        self.told = LiveQueues(at=now, queues=(support, sales))

    def reply(self, command: Command) -> Reply:
        """What the edge says."""
        if command.name == "queue_attend":
            self.attended.append(dict(command.arguments))
            return True, QueueAttendAnswer().model_dump_json()
        if command.name == "queues":
            return True, self.told.model_dump_json()
        return False, ""

    @staticmethod
    def _agent(now: datetime, user_id: str, place: int) -> LiveAgent:
        presence, doing = _AGENTS[place % len(_AGENTS)]
        return LiveAgent(
            user_id=user_id,
            presence=presence,
            presence_since=now - timedelta(minutes=50 - 7 * place),
            doing=doing,
            since=now - timedelta(seconds=83 + 61 * place),
            queue_id="support" if doing in ("talking", "wrapping_up") else None,
        )
