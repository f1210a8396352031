"""/sites/{id}/queue-calls and /queue-totals: what became of the callers of call queues.

Whoever is a user sees the queues that he supervises.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from cloud.api.chalicelib.fields import PathId, Shown
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.paging import Cursor, Limit, encode_cursor, page_request
from cloud.api.chalicelib.queues import QueuePerson
from cloud.api.chalicelib.reports import After, Before
from cloud.api.chalicelib.work import Current, Work
from cloud.pbx import queue_history, queues
from contract.sync.queue_events import OfferResult, QueueOutcome
from contract.sync.queues import SERVICE_LEVEL_SECONDS

router = new_router()

QueueFilter = Annotated[
    str | None, Query(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="Only callers of this queue, by its service id")
]
AgentFilter = Annotated[UUID | None, Query(description="Only callers whom this user answered")]
OutcomeFilter = Annotated[QueueOutcome | None, Query(description="Only callers whose story ended so")]
Level = Annotated[int, Query(ge=1, le=3600, description="An answer within so many seconds is one in time")]


class QueueOfferMade(Shown):
    """An agent who was rung for a caller."""

    user_id: str
    at: datetime
    seconds: float = Field(description="How long the phones rang")
    result: OfferResult = Field(description="other: somebody else was faster, or the caller went")


class QueueCall(Shown):
    """A caller of a queue, from coming to going."""

    id: UUID
    site_id: UUID
    edge_id: UUID
    call_id: str
    queue_id: str
    queue_name: str = Field(description="At that time")
    caller: str
    caller_name: str
    came_at: datetime
    answered_at: datetime | None
    ended_at: datetime = Field(description="Without an answer: when the caller left the queue")
    outcome: QueueOutcome
    sent_to: str = Field(description="Where the caller went on to, if anywhere")
    agent_id: UUID | None
    wrap_up_seconds: float
    offers: list[QueueOfferMade] = Field(description="Who was rung, in turn")


class QueueCallPage(Shown):
    """Some of the callers, the latest first."""

    items: list[QueueCall]
    people: list[QueuePerson] = Field(description="Every agent of these stories who is still there")
    next: str | None = None


class QueueTotal(Shown):
    """Some callers, added up; every time is in seconds, null where nobody was."""

    key: str = Field(description="The queue's id, the agent's id, or the hour's beginning in UTC")
    name: str = Field(description="Of the queue, as it was called last; empty for agents and hours")
    calls: int
    answered: int
    abandoned: int
    overflowed: int = Field(description="Sent on, or told that nobody could answer")
    in_time: int
    service_level: float | None = Field(description="In time of all who were answered or hung up, 0 to 1")
    average_wait_seconds: float | None = Field(description="Of those who were answered")
    longest_wait_seconds: float | None = Field(description="Of those who were answered or hung up")
    average_talk_seconds: float | None
    talk_seconds: float
    wrap_up_seconds: float
    missed: int = Field(description="How often the agent was rung and did not answer; 0 for queues and hours")


class QueueTotals(Shown):
    """The callers of a time, added up."""

    items: list[QueueTotal]
    people: list[QueuePerson]
    told_until: datetime | None = Field(
        description="When the last caller went of whom the cloud knows; null: it knows of none in this time"
    )


@router.get(
    "/sites/<site_id>/queue-calls",
    **operation("listQueueCalls", "queues", "List callers of call queues, the latest first", "user"),
)
def list_queue_calls(
    work: Current,
    site_id: PathId,
    limit: Limit = 50,
    cursor: Cursor = None,
    queue_id: QueueFilter = None,
    agent_id: AgentFilter = None,
    outcome: OutcomeFilter = None,
    after: After = None,
    before: Before = None,
) -> QueueCallPage:
    wanted = queue_history.Wanted(site_id, _queues(work, site_id, queue_id), agent_id, outcome, after, before)
    page = queue_history.list_queue_calls(work.session, page_request(limit, cursor), wanted)
    items = [QueueCall.model_validate(row) for row in page.items]
    who = {offer.user_id for one in items for offer in one.offers} | {str(one.agent_id) for one in items}
    return QueueCallPage(items=items, people=_people(work, who), next=encode_cursor(page.next))


@router.get(
    "/sites/<site_id>/queue-totals",
    **operation("getQueueTotals", "queues", "Add up the callers of call queues, of the last day unless told", "user"),
)
def queue_totals(
    work: Current,
    site_id: PathId,
    after: After = None,
    before: Before = None,
    by: Annotated[Literal["queue", "agent", "hour"], Query(description="What is told apart")] = "queue",
    queue_id: QueueFilter = None,
    agent_id: AgentFilter = None,
    level_seconds: Level = SERVICE_LEVEL_SECONDS,
) -> QueueTotals:
    before = before or work.services.clock.now()
    # A day before the first moment there is would be none: the empty time is refused.
    after = after or (before - timedelta(days=1) if before.year > 1 else before)
    wanted = queue_history.Wanted(site_id, _queues(work, site_id, queue_id), agent_id, None, after, before)
    found = queue_history.queue_totals(work.session, wanted, by, level_seconds)
    return QueueTotals(
        items=[QueueTotal.model_validate(one) for one in found],
        people=_people(work, {one.key for one in found}) if by == "agent" else [],
        told_until=queue_history.last_queue_call(work.session, wanted),
    )


def _queues(work: Work, site_id: UUID, queue_id: str | None) -> list[str] | None:
    """The queues that are looked at: those that may be, or the one of them that is wanted; None: all."""
    allowed = queues.supervised(work.session, site_id, work.only_user)
    if queue_id is None:
        return allowed
    return [queue_id] if allowed is None or queue_id in allowed else []


def _people(work: Work, user_ids: set[str]) -> list[QueuePerson]:
    return [QueuePerson.model_validate(one) for one in queues.people(work.session, user_ids, work.services.clock.now())]
