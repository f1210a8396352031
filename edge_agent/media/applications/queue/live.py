"""How queues stand at this moment, for whoever asks from afar, and supervisors who are rung from there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from contract.queue_state import agent_key
from contract.snapshot import CallQueue
from contract.sync.queues import (
    MAX_CALLERS,
    MAX_QUEUES,
    Attending,
    LiveAgent,
    LiveCaller,
    LiveQueue,
    LiveQueues,
    QueueAttendAnswer,
)
from contract.sync.state import StateRecord
from edge_agent.clock import Clock
from edge_agent.media.applications.queue.application import CallQueues
from edge_agent.media.applications.queue.config import QueueConfig
from edge_agent.media.applications.queue.supervising import attend
from edge_agent.media.calling import NotReached, PhoneCaller, Ringing
from edge_agent.media.errors import MediaError, SessionEnded

RING_SECONDS: Final = 30.0
"""How long a supervisor's phones ring."""
_attending: Final[TypeAdapter[Attending]] = TypeAdapter(Attending)


class BadWish(MediaError):
    """The wish is none that queues know."""


def shown(queues: CallQueues, config: QueueConfig, records: Mapping[str, StateRecord], clock: Clock) -> LiveQueues:
    """Every queue.

    Args:
        queues: at work.
        config: what they go by.
        records: of the site's state, by key: since when agents are logged in.
        clock: the moment.
    """
    told = tuple(_queue(one, queues, config, records, clock) for one in list(config.queues.values())[:MAX_QUEUES])
    return LiveQueues(at=clock.now(), queues=told)


class Supervisors:
    """Rings supervisors and takes them into agents' calls.

    Args:
        queues: at work.
        config: asked whenever something is decided.
        phones: rings them.
        clock: the moment.
    """

    def __init__(
        self, queues: CallQueues, config: Callable[[], QueueConfig], phones: PhoneCaller, clock: Clock
    ) -> None:
        self._queues, self._config, self._phones, self._clock = queues, config, phones, clock
        self._tasks: set[asyncio.Task[None]] = set()

    def attend(self, agent_id: str, supervisor_id: str, action: str) -> QueueAttendAnswer:
        """Ring a supervisor, who is in the agent's call when he answers.

        Raises:
            BadWish: the action is none.
        """
        try:
            wanted = _attending.validate_python(action)
        except ValidationError:
            raise BadWish(f"{action!r} is none of listen, whisper, barge") from None
        config = self._config()
        agent, supervisor = config.users.get(agent_id), config.users.get(supervisor_id)
        talk = self._queues.agents.of(agent_id, self._clock.monotonic()).talk if agent is not None else None
        if agent is None or talk is None or talk.queue_id not in config.queues:
            return QueueAttendAnswer(refused="no_call")
        if supervisor is None or not self._phones.can_ring:
            return QueueAttendAnswer(refused="no_phone")
        if not config.supervises(supervisor_id, talk.queue_id):
            return QueueAttendAnswer(refused="no_call")
        queue = config.queues[talk.queue_id]
        name = f"{queue.name}: {agent.display_name or agent.username}"
        ringing = Ringing(supervisor.username, agent.extension or queue.extension, name)
        task = asyncio.get_running_loop().create_task(self._attend(ringing, agent_id, supervisor_id, wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return QueueAttendAnswer()

    async def _attend(self, ringing: Ringing, agent_id: str, supervisor_id: str, action: Attending) -> None:
        try:
            async with asyncio.timeout(RING_SECONDS):
                session = await self._phones.ring(ringing)
        except (TimeoutError, NotReached):
            return
        try:
            talk = self._queues.agents.of(agent_id, self._clock.monotonic()).talk
            # Meanwhile it may be another one, of a queue that is not his.
            if talk is not None and not self._config().supervises(supervisor_id, talk.queue_id):
                talk = None
            await attend(session, talk, action)
        except SessionEnded:
            return
        finally:
            await session.hang_up()


def _queue(
    queue: CallQueue, queues: CallQueues, config: QueueConfig, records: Mapping[str, StateRecord], clock: Clock
) -> LiveQueue:
    now, moment = clock.monotonic(), clock.now()
    line, figures = queues.waiting(queue.service_id), queues.figures(queue.service_id)
    expected = figures.expected_wait(len(line) + 1, len(config.ready(queue)))
    return LiveQueue(
        queue_id=queue.service_id,
        name=queue.name,
        extension=queue.extension,
        callers=tuple(
            LiveCaller(
                call_id=one.story.call_id,
                number=one.story.number,
                name=one.story.name,
                came_at=one.story.came_at,
                ringing=one.ringing is not None,
                wants_call_back=one.wish is not None,
            )
            for one in line[:MAX_CALLERS]
        ),
        agents=tuple(
            _agent(one.user_id, queue, queues, config, records, now, moment)
            for one in queue.agents
            if one.user_id in config.users
        ),
        answered=figures.answered,
        abandoned=figures.abandoned,
        overflowed=figures.overflowed,
        in_time=figures.in_time,
        longest_wait_seconds=figures.longest_wait,
        average_wait_seconds=figures.waited / figures.answered if figures.answered else None,
        expected_wait_seconds=expected,
    )


def _agent(
    user_id: str,
    queue: CallQueue,
    queues: CallQueues,
    config: QueueConfig,
    records: Mapping[str, StateRecord],
    now: float,
    moment: datetime,
) -> LiveAgent:
    record = records.get(agent_key(queue.service_id, user_id))
    since = datetime.fromtimestamp(record.stamp.wall_ms / 1000, UTC) if record is not None else None
    work = queues.agents.of(user_id, now)
    return LiveAgent(
        user_id=user_id,
        presence=config.presences.get(queue.service_id, {}).get(user_id, "out"),
        presence_since=since,
        doing=work.doing(now),
        since=moment - timedelta(seconds=max(0.0, now - work.since(now))),
        queue_id=work.talk.queue_id if work.talk is not None else None,
    )
