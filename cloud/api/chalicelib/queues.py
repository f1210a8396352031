"""/sites/{id}/queues and /my/queues: how call queues stand, their agents' log-ins, supervisors who attend calls.

Users have to do with the queues that they are agents or supervisors of. Queues themselves are part of the dial plan.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self, TypedDict
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field, model_validator

from cloud.api.chalicelib.asking import asking_edges
from cloud.api.chalicelib.fields import LINE, PathId, Sent, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Limit, decode_names, encode_names
from cloud.api.chalicelib.work import Current, Work
from cloud.pbx import queues
from contract.queue_state import MAX_REASON, AgentPresence
from contract.snapshot import CallQueue
from contract.sync.queues import Attending, LiveQueue

router = new_router()

PathQueue = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="A queue's service id")]

QueueCursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before this one; absent: the first page")
]


class QueuePerson(Shown):
    """Who an agent is."""

    user_id: UUID
    name: str
    extension: str | None


class QueueReach(QueuePerson):
    """An agent or a supervisor, and whether there is a phone to be rung."""

    registered: bool = Field(description="Whether a phone of his is registered, as far as the cloud knows")


class QueuePause(Shown):
    """Why an agent pauses, as far as the cloud knows."""

    queue_id: str
    user_id: UUID
    reason: str


class QueueSupervisors(Shown):
    """Whose phones can be rung to attend calls of a queue."""

    queue_id: str
    user_ids: list[UUID]


class QueuesNow(Shown):
    """Some of the queues at this moment, asked of the site's edge, by name."""

    at: datetime = Field(description="By the edge's clock: since when somebody waits is told by the same")
    items: list[LiveQueue]
    people: list[QueueReach] = Field(description="Every agent and supervisor of these queues")
    supervisors: list[QueueSupervisors] = Field(description="Of each of these queues")
    pauses: list[QueuePause] = Field(description="Of agents who pause and said why")
    next: str | None = None


class QueueNow(Shown):
    """One queue at this moment."""

    at: datetime
    queue: LiveQueue
    people: list[QueueReach]
    supervisors: list[QueueSupervisors]
    pauses: list[QueuePause]


class AgentWish(Sent):
    """How an agent is to stand."""

    presence: AgentPresence = Field(description="in: logged in, which ends a pause; out; paused: not rung for a while")
    reason: Annotated[str, Field(max_length=MAX_REASON, pattern=LINE)] = Field(
        "", description="Why he pauses, for people: all who see the queue; empty: it is not said"
    )

    @model_validator(mode="after")
    def _only_a_pause_has_a_reason(self) -> Self:
        if self.reason and self.presence != "paused":
            raise ValueError("a reason belongs to a pause: leave it out, or ask for paused")
        return self


class AttendWish(Sent):
    """How a supervisor is to take part in an agent's call."""

    action: Attending = Field(description="listen: unheard; whisper: the agent alone hears him; barge: both do")
    supervisor_id: UUID | None = Field(None, description="Whose phones ring; null: those of whoever asks")


class OwnQueue(Shown):
    """A queue that the user has to do with."""

    site_id: UUID
    queue_id: str
    name: str
    extension: str
    presence: AgentPresence | None = Field(description="How he stands, as far as the cloud knows; null: he is no agent")
    reason: str = Field(description="Why he pauses, if that was said")
    supervises: bool


class OwnQueues(Shown):
    """The user's queues, by name; whoever is no user has none."""

    items: list[OwnQueue]


@router.get(
    "/sites/<site_id>/queues",
    **operation("listQueues", "queues", "See how call queues stand now, by name", "user"),
)
def list_queues(work: Current, site_id: PathId, limit: Limit = 50, cursor: QueueCursor = None) -> QueuesNow:
    after = decode_names(cursor, 2) if cursor else None
    every = queues.queues_of_site(work.session, site_id, work.only_user)
    known, rest = queues.page_of_queues(every, limit, (after[0], after[1]) if after else None)
    about = _about(work, site_id, known)
    told = queues.live_queues(asking_edges(work, site_id), [one.service_id for one in known])
    return QueuesNow(at=told.at, items=list(told.queues), next=encode_names(rest), **about)


@router.get(
    "/sites/<site_id>/queues/<queue_id>",
    **operation("getQueue", "queues", "See how one call queue stands now", "user"),
)
def get_queue(work: Current, site_id: PathId, queue_id: PathQueue) -> QueueNow:
    known = queues.get_queue(work.session, site_id, queue_id, work.only_user)
    about = _about(work, site_id, [known])
    told = queues.live_queue(asking_edges(work, site_id), queue_id)
    return QueueNow(at=told.at, queue=told.queues[0], **about)


@router.put(
    "/sites/<site_id>/queues/<queue_id>/agents/<user_id>",
    **operation("setQueueAgent", "queues", "Log an agent in or out, or have him pause", "user", 204),
)
def set_agent(work: Current, site_id: PathId, queue_id: PathQueue, user_id: PathId, body: AgentWish) -> None:
    queues.set_presence(work.desk, site_id, queue_id, user_id, body.presence, work.only_user, body.reason)


@router.post(
    "/sites/<site_id>/queues/<queue_id>/agents/<user_id>/attend",
    **operation("attendQueueCall", "queues", "Ring a supervisor, who listens to an agent's call", "user", 204),
)
def attend(work: Current, site_id: PathId, queue_id: PathQueue, user_id: PathId, body: AttendWish) -> None:
    queue = queues.get_queue(work.session, site_id, queue_id, work.only_user)
    supervisor = queues.supervisor_for(queue, body.supervisor_id, work.claims.user_id, work.only_user)
    if queue.skill_of(str(user_id)) == 0:
        raise queues.NoCallToAttend
    queues.note_attending(work.desk, site_id, queue, user_id, supervisor, body.action)
    queues.attend(asking_edges(work, site_id), user_id, supervisor, body.action)


@router.get("/my/queues", **operation("getOwnQueues", "queues", "List the call queues of whoever asks", "user"))
def own_queues(work: Current) -> OwnQueues:
    user_id = work.claims.user_id
    found = queues.own_queues(work.session, user_id) if user_id is not None else []
    return OwnQueues(items=[OwnQueue.model_validate(one) for one in found])


class _About(TypedDict):
    people: list[QueueReach]
    supervisors: list[QueueSupervisors]
    pauses: list[QueuePause]


def _about(work: Work, site_id: UUID, known: Sequence[CallQueue]) -> _About:
    """What the cloud knows of queues; told before an edge is asked, for which the transaction ends."""
    who = {agent.user_id for one in known for agent in one.agents} | {each for one in known for each in one.supervisors}
    people = queues.people(work.session, who, work.services.clock.now())
    return {
        "people": [QueueReach.model_validate(one) for one in people],
        "supervisors": [
            QueueSupervisors(queue_id=one.service_id, user_ids=[UUID(each) for each in one.supervisors])
            for one in known
        ],
        "pauses": [QueuePause.model_validate(one) for one in queues.pauses(work.session, site_id, known)],
    }
