"""Call queues as the cloud sees them: how they stand, asked of their edge, and their agents, who are site state.

A user has to do with the queues that he is an agent or a supervisor of; of agents he changes himself, and as a
supervisor those of his queues.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Registration, Site, User
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.compiler import dial_plan_of
from cloud.pbx.conferences import Asking
from cloud.pbx.desk import Desk
from cloud.pbx.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from cloud.pbx.registrations import not_run_out
from cloud.pbx.state import merge_records, site_records, write_state
from contract.queue_state import AgentPresence, agent_key, pause_key, pause_reason, presences
from contract.snapshot import CallQueue
from contract.sync.questions import QUEUE_ATTEND, QUEUES
from contract.sync.queues import Attending, LiveQueue, LiveQueues, QueueAttendAnswer
from contract.sync.state import StateRecord

Place = tuple[str, str]
"""Where a queue stands among those of its site: its name and its id."""


class NoCallToAttend(Conflict):
    """The agent is in no call of a queue now."""

    problem = "no-call-to-attend"


class NoPhoneToRing(Conflict):
    """The supervisor's phones cannot be rung now."""

    problem = "no-phone-to-ring"


@dataclass(frozen=True, slots=True)
class Person:
    """Who a user is, for people."""

    user_id: UUID
    name: str
    extension: str | None
    registered: bool
    """Whether a phone of his can be rung, as far as the cloud knows."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why an agent pauses at a queue."""

    queue_id: str
    user_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OwnQueue:
    """A queue as one of its agents or supervisors has to do with it.

    Args:
        presence: how he stands as an agent, as far as the cloud knows; None: he is none.
        reason: why he pauses, if that was said.
        supervises: whether he may listen, and change how agents stand.
    """

    site_id: UUID
    queue_id: str
    name: str
    extension: str
    presence: AgentPresence | None
    reason: str
    supervises: bool


def queues_of_site(session: Session, site_id: UUID, only: UUID | None = None) -> list[CallQueue]:
    """The queues that are switched on, by name; those of `only`, who is an agent or a supervisor of them.

    Raises:
        NotFound: there is no such site in this scope.
    """
    get_or_refuse(session, Site, site_id)
    queues = [one for one in dial_plan_of(session, site_id).voice_services if isinstance(one, CallQueue)]
    mine = [one for one in queues if one.enabled and (only is None or _has_part(one, str(only)))]
    return sorted(mine, key=_place)


def page_of_queues(
    queues: Sequence[CallQueue], limit: int, after: Place | None
) -> tuple[list[CallQueue], Place | None]:
    """Some of the queues, which are by name, and where the next ones begin, if there are any.

    Args:
        after: of the last queue before these.
    """
    rest = [one for one in queues if after is None or _place(one) > after]
    page = rest[:limit]
    return page, _place(page[-1]) if len(rest) > limit else None


def get_queue(session: Session, site_id: UUID, queue_id: str, only: UUID | None = None) -> CallQueue:
    """One queue.

    Raises:
        NotFound: there is none, or it is not for `only`.
    """
    for one in queues_of_site(session, site_id, only):
        if one.service_id == queue_id:
            return one
    raise NotFound


def supervised(session: Session, site_id: UUID, only: UUID | None) -> list[str] | None:
    """Ids of the queues whose history may be seen; None: of all, also those that are gone."""
    if only is None:
        return None
    return [one.service_id for one in queues_of_site(session, site_id, only) if str(only) in one.supervisors]


def own_queues(session: Session, user_id: UUID) -> list[OwnQueue]:
    """What a user has to do with, by name."""
    user = get_or_refuse(session, User, user_id)
    records = _records(session, user.site_id)
    return [
        OwnQueue(
            user.site_id,
            one.service_id,
            one.name,
            one.extension,
            presences(one, records).get(str(user_id)),
            pause_reason(one.service_id, str(user_id), records),
            str(user_id) in one.supervisors,
        )
        for one in queues_of_site(session, user.site_id, user_id)
    ]


def pauses(session: Session, site_id: UUID, queues: Iterable[CallQueue]) -> list[Pause]:
    """Why agents pause who said so, as far as the cloud knows."""
    records = _records(session, site_id)
    found = [
        Pause(one.service_id, agent.user_id, pause_reason(one.service_id, agent.user_id, records))
        for one in queues
        for agent in one.agents
    ]
    return [one for one in found if one.reason]


def set_presence(
    desk: Desk,
    site_id: UUID,
    queue_id: str,
    agent_id: UUID,
    presence: AgentPresence,
    only: UUID | None = None,
    reason: str = "",
) -> None:
    """Log an agent in or out, or have him pause: at the edge at once where it is online, else as soon as it is.

    Args:
        reason: of a pause, for people.
        only: whoever changes himself, and as a supervisor the agents of his queues.

    Raises:
        NotFound: there is no such queue, or he is no agent of it.
        Forbidden: `only` is neither he nor a supervisor of the queue.
        Conflict: who is logged out does not pause.
    """
    queue = get_queue(desk.session, site_id, queue_id, only)
    if all(one.user_id != str(agent_id) for one in queue.agents):
        raise NotFound
    if only is not None and only != agent_id and str(only) not in queue.supervisors:
        raise Forbidden
    records = _records(desk.session, site_id)
    before = presences(queue, records)[str(agent_id)]
    if before == "out" and presence == "paused":
        raise Conflict("Who is logged out of a queue does not pause: log in first.")
    if before == presence and reason == pause_reason(queue_id, str(agent_id), records):
        return
    site = get_or_refuse(desk.session, Site, site_id)
    now = desk.clock.now()
    written = write_state(desk.session, site_id, agent_key(queue_id, str(agent_id)), presence, now)
    if reason:
        why = StateRecord(key=pause_key(queue_id, str(agent_id)), value=reason, stamp=written.stamp)
        merge_records(desk.session, site.tenant_id, site_id, [why], now)
    told: dict[str, list[object]] = {
        "queue": [queue.name, queue.name],
        "agent": [str(agent_id), str(agent_id)],
        "presence": [before, presence],
        **({"reason": [None, reason]} if reason else {}),
    }
    desk.record("queue.agent_changed", "site", site_id, told, site.tenant_id)


def supervisor_for(queue: CallQueue, wanted: UUID | None, own: UUID | None, only: UUID | None) -> UUID:
    """Whose phones ring when somebody attends an agent's call.

    Args:
        queue: of the call.
        wanted: who was named.
        own: the user who asks, if he is one.
        only: whoever rings nobody's phones but his own.

    Raises:
        Invalid: nobody was named, or he is no supervisor of the queue.
        Forbidden: he rings somebody else's.
    """
    supervisor = wanted or own
    if only is not None and supervisor != only:
        raise Forbidden
    if supervisor is None or str(supervisor) not in queue.supervisors:
        if only is not None:
            raise Forbidden
        raise Invalid(problems=[FieldProblem("supervisor_id", "must be a supervisor of the queue, whose phones ring")])
    return supervisor


def note_attending(desk: Desk, site_id: UUID, queue: CallQueue, agent_id: UUID, supervisor: UUID, how: str) -> None:
    """Put on record who is about to listen to whom."""
    site = get_or_refuse(desk.session, Site, site_id)
    told: dict[str, list[object]] = {
        "queue": [queue.name, queue.name],
        "agent": [str(agent_id), str(agent_id)],
        "supervisor": [None, str(supervisor)],
        "action": [None, how],
    }
    desk.record("queue.attended", "site", site_id, told, site.tenant_id)


def people(session: Session, user_ids: Iterable[str], now: datetime) -> list[Person]:
    """Who these users are; who is gone is left out.

    Args:
        now: which phones are registered then.
    """
    wanted = []
    for user_id in set(user_ids):
        try:
            wanted.append(UUID(user_id))
        except ValueError:
            continue
    rows = session.scalars(select(User).where(User.id.in_(wanted)).order_by(User.id)).all()
    bound = select(Registration.user_id).where(Registration.user_id.in_(wanted), not_run_out(now)).distinct()
    reached = set(session.scalars(bound))
    return [Person(one.id, one.display_name or one.username, one.extension, one.id in reached) for one in rows]


# -- what goes on


def live_queues(asking: Asking, queue_ids: Sequence[str]) -> LiveQueues:
    """How queues stand at the site's edge, in this order; one that it does not have yet is left out.

    Raises:
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: there is no answer.
    """
    told = LiveQueues.model_validate_json(next(asking.ask(QUEUES)))
    known: dict[str, LiveQueue] = {one.queue_id: one for one in told.queues}
    return LiveQueues(at=told.at, queues=tuple(known[one] for one in queue_ids if one in known))


def live_queue(asking: Asking, queue_id: str) -> LiveQueues:
    """How one queue stands.

    Raises:
        NotFound: the site's edge does not have it (yet).
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: there is no answer.
    """
    told = live_queues(asking, [queue_id])
    if not told.queues:
        raise NotFound
    return told


def attend(asking: Asking, agent_id: UUID, supervisor: UUID, action: Attending) -> None:
    """Ring a supervisor's phones, who is in an agent's call when he answers.

    Raises:
        NoCallToAttend, NoPhoneToRing: that cannot be done.
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: there is no answer.
    """
    answer = next(asking.ask(QUEUE_ATTEND, agent=str(agent_id), supervisor=str(supervisor), action=action))
    match QueueAttendAnswer.model_validate_json(answer).refused:
        case "no_call":
            raise NoCallToAttend
        case "no_phone":
            raise NoPhoneToRing
        case None:
            return


def _place(queue: CallQueue) -> Place:
    return (queue.name, queue.service_id)


def _records(session: Session, site_id: UUID) -> dict[str, StateRecord]:
    return {record.key: record for record in site_records(session, site_id)}


def _has_part(queue: CallQueue, user_id: str) -> bool:
    return user_id in queue.supervisors or queue.skill_of(user_id) > 0
