"""Who is logged in at which call queue: site state, changed by feature codes and in the portal; the later counts."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from contract.snapshot.queue import CallQueue
from contract.sync.state import StateRecord

AGENT: Final = "queue_agent"
"""`queue_agent/<queue id>/<user id>`: an `AgentPresence`."""

PAUSE: Final = "queue_pause"
"""`queue_pause/<queue id>/<user id>`: why, for people; with the stamp of the pause that it belongs to."""
MAX_REASON: Final = 60

AgentPresence = Literal["in", "out", "paused"]
"""Logged in; logged out; logged in, but not to be rung for a while."""


def agent_key(queue_id: str, user_id: str) -> str:
    """The key of the record."""
    return f"{AGENT}/{queue_id}/{user_id}"


def pause_reason(queue_id: str, user_id: str, records: Mapping[str, StateRecord]) -> str:
    """Why an agent pauses, in the words of whoever said so; empty: he does not, or nobody said why.

    A reason has the stamp of its pause: one that is left of an earlier pause says nothing of the next one.
    """
    presence = records.get(agent_key(queue_id, user_id))
    reason = records.get(pause_key(queue_id, user_id))
    if presence is None or presence.value != "paused" or reason is None or reason.stamp != presence.stamp:
        return ""
    return reason.value[:MAX_REASON] if isinstance(reason.value, str) else ""


def pause_key(queue_id: str, user_id: str) -> str:
    """The key of the record of a pause's reason."""
    return f"{PAUSE}/{queue_id}/{user_id}"


def presences(queue: CallQueue, records: Mapping[str, StateRecord]) -> dict[str, AgentPresence]:
    """How each agent of a queue stands.

    Args:
        queue: with its agents.
        records: of the site's state, by key; what makes no sense is passed over.
    """
    found: dict[str, AgentPresence] = {}
    for agent in queue.agents:
        record = records.get(agent_key(queue.service_id, agent.user_id))
        said = known_presence(record.value if record is not None else None)
        found[agent.user_id] = said or ("in" if queue.begin_logged_in else "out")
    return found


def known_presence(value: object) -> AgentPresence | None:
    """A record's value, if it says how somebody stands."""
    return next((one for one in get_args(AgentPresence) if one == value), None)


def queues_of(user_id: str, services: Iterable[object]) -> list[CallQueue]:
    """The queues that a user is an agent of, and that are switched on."""
    return [
        one
        for one in services
        if isinstance(one, CallQueue) and one.enabled and any(agent.user_id == user_id for agent in one.agents)
    ]
