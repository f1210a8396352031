"""What became of the callers of call queues: taken in from edges, listed, and added up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, extract, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import EventRow, QueueCall, Site
from cloud.pbx.checks import Problems, get_or_refuse
from cloud.pbx.pages import Page, PageRequest, newest_first
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens
from contract.sync.queue_events import QueueCallEnded, QueueOutcome

MAX_DAYS: Final = 92
"""How long a period may be that is added up."""
MAX_TOTALS: Final = 2400
"""Rows of one answer: every hour of the longest period, and more queues or agents than a site has."""

By = Literal["queue", "agent", "hour"]

_WEBHOOKS: Final[dict[str, str]] = {
    "answered": "queue.answered",
    "abandoned": "queue.abandoned",
    "called_back": "queue.called_back",
}
_ENDED_IN_TALK: Final = ("answered", "called_back")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which callers are looked at.

    Args:
        site_id: of which site.
        queue_ids: of these queues only; None: of all.
        agent_id: whom this user answered.
        outcome: whose story ended so.
        after, before: who came in this time; the end is not part of it.
    """

    site_id: UUID
    queue_ids: Collection[str] | None = None
    agent_id: UUID | None = None
    outcome: QueueOutcome | None = None
    after: datetime | None = None
    before: datetime | None = None

    def of(self, query: Select[Any]) -> Select[Any]:
        """A query, narrowed to them."""
        query = query.where(QueueCall.site_id == self.site_id)
        if self.queue_ids is not None:
            query = query.where(QueueCall.queue_id.in_(self.queue_ids))
        if self.agent_id is not None:
            query = query.where(QueueCall.agent_id == self.agent_id)
        if self.outcome is not None:
            query = query.where(QueueCall.outcome == self.outcome)
        if self.after is not None:
            query = query.where(QueueCall.came_at >= self.after)
        if self.before is not None:
            query = query.where(QueueCall.came_at < self.before)
        return query


@dataclass(frozen=True, slots=True)
class QueueTotal:
    """Some callers, added up; every time is in seconds, None where nobody was.

    Args:
        key: the queue's id, the agent's id, or the hour's beginning in UTC.
        name: of the queue, as it was called last.
        in_time: answered within the time that was asked for.
        service_level: those of all who were answered or hung up, 0 to 1.
        missed: how often the agent was rung and did not answer; agents only.
    """

    key: str
    name: str
    calls: int
    answered: int
    abandoned: int
    overflowed: int
    in_time: int
    service_level: float | None
    average_wait_seconds: float | None
    longest_wait_seconds: float | None
    average_talk_seconds: float | None
    talk_seconds: float
    wrap_up_seconds: float
    missed: int


def take_queue_call(session: Session, tokens: Tokens, row: EventRow, what: QueueCallEnded) -> None:
    """Keep a caller's story, and tell of it; the same one sent twice is told once."""
    values = what.model_dump(exclude={"kind", "offers", "agent_id"})
    new = session.execute(
        insert(QueueCall)
        .values(
            id=tokens.id(),
            tenant_id=row.tenant_id,
            site_id=row.site_id,
            edge_id=row.edge_id,
            agent_id=UUID(what.agent_id) if what.agent_id else None,
            offers=[one.model_dump(mode="json") for one in what.offers],
            **values,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "call_id"])
        .returning(QueueCall.id)
    ).scalar_one_or_none()
    if new is not None:
        told = what.model_dump(mode="json", exclude={"kind", "offers"})
        where = {"site_id": str(row.site_id), "edge_id": str(row.edge_id)}
        event_type = _WEBHOOKS.get(what.outcome, "queue.overflowed")
        announce(session, tokens, row.tenant_id, event_type, what.ended_at, {**where, **told})


def list_queue_calls(session: Session, request: PageRequest, wanted: Wanted) -> Page[QueueCall]:
    """Callers, the latest first.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, wanted.site_id)
    return newest_first(session, wanted.of(select(QueueCall)), QueueCall.came_at, QueueCall.id, request)


def last_queue_call(session: Session, wanted: Wanted) -> datetime | None:
    """When the last one ended that is known: what is told of this time holds until then."""
    last: datetime | None = session.scalar(wanted.of(select(func.max(QueueCall.ended_at))))
    return last


def queue_totals(session: Session, wanted: Wanted, by: By, level_seconds: int) -> Sequence[QueueTotal]:
    """Callers of a time added up by queue, by agent, or by hour.

    Args:
        session: of the database.
        wanted: with both ends of the time.
        by: what is told apart.
        level_seconds: an answer within it is one in time.

    Raises:
        NotFound: there is no such site in this scope.
        Invalid: the time is none, or too long.
    """
    get_or_refuse(session, Site, wanted.site_id)
    if (
        wanted.after is None
        or wanted.before is None
        or not (timedelta() < wanted.before - wanted.after <= timedelta(days=MAX_DAYS))
    ):
        problems = Problems()
        problems.add("before", f"must be later than after, and by at most {MAX_DAYS} days")
        problems.check()
    key = _key(by)
    wait = _seconds(func.coalesce(QueueCall.answered_at, QueueCall.ended_at), QueueCall.came_at)
    talk = _seconds(QueueCall.ended_at, QueueCall.answered_at)
    talked = QueueCall.outcome.in_(_ENDED_IN_TALK)
    gave_up = QueueCall.outcome == "abandoned"
    query = select(
        key.label("key"),
        func.max(QueueCall.queue_name).label("name"),
        func.count().label("calls"),
        _count(talked).label("answered"),
        _count(gave_up).label("abandoned"),
        _count(and_(talked, wait <= level_seconds)).label("in_time"),
        func.avg(wait).filter(talked).label("average_wait"),
        func.max(wait).filter(talked | gave_up).label("longest_wait"),
        func.avg(talk).filter(talked).label("average_talk"),
        func.coalesce(func.sum(talk).filter(talked), 0.0).label("talk"),
        func.coalesce(func.sum(QueueCall.wrap_up_seconds).filter(talked), 0.0).label("wrap_up"),
    )
    if by == "agent":
        query = query.where(QueueCall.agent_id.is_not(None))
    rows = session.execute(wanted.of(query).group_by(key).order_by(key).limit(MAX_TOTALS)).all()
    missed = _missed(session, wanted) if by == "agent" else {}
    found = [
        QueueTotal(
            key=str(row.key),
            name=row.name if by == "queue" else "",
            calls=row.calls,
            answered=row.answered,
            abandoned=row.abandoned,
            overflowed=row.calls - row.answered - row.abandoned,
            in_time=row.in_time,
            service_level=row.in_time / served if (served := row.answered + row.abandoned) else None,
            average_wait_seconds=row.average_wait,
            longest_wait_seconds=row.longest_wait,
            average_talk_seconds=row.average_talk,
            talk_seconds=row.talk,
            wrap_up_seconds=row.wrap_up,
            missed=missed.pop(str(row.key), 0),
        )
        for row in rows
    ]
    return [*found, *(_nothing_but_missed(key, count) for key, count in sorted(missed.items()))]


def _key(by: By) -> ColumnElement[Any]:
    match by:
        case "queue":
            return cast(QueueCall.queue_id, QueueCall.queue_id.type)
        case "agent":
            return cast(QueueCall.agent_id, QueueCall.agent_id.type)
        case "hour":
            hour = func.date_trunc("hour", func.timezone("UTC", QueueCall.came_at))
            return func.to_char(hour, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')


def _seconds(end: Any, begin: Any) -> ColumnElement[float]:
    return cast(extract("epoch", end - begin), Float)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _missed(session: Session, wanted: Wanted) -> dict[str, int]:
    """How often each agent was rung and did not answer."""
    offer = func.jsonb_array_elements(QueueCall.offers).table_valued("value")
    who = offer.c.value.op("->>")("user_id")
    query = (
        select(who, func.count())
        .select_from(QueueCall)
        .join(offer, true())
        .where(offer.c.value.op("->>")("result") == "no_answer")
        .group_by(who)
    )
    if wanted.agent_id is not None:
        query = query.where(who == str(wanted.agent_id))
    others = Wanted(wanted.site_id, wanted.queue_ids, None, wanted.outcome, wanted.after, wanted.before)
    return {str(user_id): count for user_id, count in session.execute(others.of(query).limit(MAX_TOTALS)).all()}


def _nothing_but_missed(key: str, missed: int) -> QueueTotal:
    return QueueTotal(key, "", 0, 0, 0, 0, 0, None, None, None, None, 0.0, 0.0, missed)
