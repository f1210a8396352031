"""What call queues go by: the site's configuration and who is logged in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contract.queue_state import AgentPresence, presences
from contract.snapshot import CallQueue, User
from contract.sync.state import StateRecord


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """What the application goes by.

    Args:
        queues: those that are switched on, by id.
        users: who can be an agent, by id.
        presences: how each agent stands, by queue id and user id.
    """

    queues: Mapping[str, CallQueue] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    presences: Mapping[str, Mapping[str, AgentPresence]] = field(default_factory=dict)

    def logged_in(self, queue: CallQueue) -> list[str]:
        """Agents of a queue who are logged in, also those who pause, in the order of its list."""
        known = self.presences.get(queue.service_id, {})
        return [one.user_id for one in queue.agents if one.user_id in self.users and known.get(one.user_id) != "out"]

    def ready(self, queue: CallQueue) -> list[str]:
        """Agents of a queue who are logged in and do not pause, in the order of its list."""
        known = self.presences.get(queue.service_id, {})
        return [one for one in self.logged_in(queue) if known.get(one) == "in"]

    def supervises(self, user_id: str, queue_id: str) -> bool:
        """Whether somebody may attend calls of a queue."""
        return queue_id in self.queues and user_id in self.queues[queue_id].supervisors


def queue_config(services: Iterable[object], users: Iterable[User], records: Mapping[str, StateRecord]) -> QueueConfig:
    """What a site's configuration means for its queues.

    Args:
        services: every voice service of the site.
        users: of the site.
        records: of the site's state, by key.
    """
    queues = {one.service_id: one for one in services if isinstance(one, CallQueue) and one.enabled}
    return QueueConfig(
        queues,
        {user.user_id: user for user in users if user.enabled},
        {queue_id: presences(queue, records) for queue_id, queue in queues.items()},
    )
