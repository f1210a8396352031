"""Questions to edges while somebody waits: a command whose answer is read once and kept nowhere."""

from contextlib import closing
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.clock import Clock
from cloud.models import CallRecord, Command
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.commands import ANSWERS_CHANNEL, give_command
from cloud.pbx.database import Database, Scope
from cloud.pbx.edge_places import get_edge
from cloud.pbx.errors import NotFound, PbxError
from cloud.tokens import Tokens

ANSWER_SECONDS: Final = 8.0
"""How long somebody waits for an answer."""
_LOOK_SECONDS: Final = 1.0
"""How often the row is looked at when nothing is notified: a notification may be lost."""


class EdgeOffline(PbxError):
    """The edge is not connected to the cloud, so it cannot be asked now. Telephony at the site goes on."""

    status = 503
    problem = "edge-offline"


class EdgeSilent(PbxError):
    """The edge did not answer in time. Try again in a moment."""

    status = 504
    problem = "edge-silent"


class EdgeCannotAnswer(PbxError):
    """The edge could not answer; perhaps its agent is older than this question."""

    status = 502
    problem = "edge-cannot-answer"


class NothingRemembered(NotFound):
    """The edge remembers no messages of this call any more. It keeps those of recent calls, until it is restarted."""


def ask_edge(
    database: Database, scope: Scope, tokens: Tokens, clock: Clock, edge_id: UUID, name: str, arguments: dict[str, str]
) -> str:
    """Ask an edge and wait for its answer.

    Args:
        scope: of who asks.
        name: one of `contract.sync.questions`.

    Raises:
        NotFound: there is no such edge in this scope.
        EdgeOffline, EdgeSilent, EdgeCannotAnswer: there is no answer.
    """
    with closing(database.listen(ANSWERS_CHANNEL)) as answers:
        with database.session(scope) as session:
            now = clock.now()
            if not get_edge(session, edge_id, now).online:
                raise EdgeOffline
            command_id = give_command(session, tokens, edge_id, name, arguments, now, ANSWER_SECONDS).id
        deadline = clock.monotonic() + ANSWER_SECONDS
        while (left := deadline - clock.monotonic()) > 0:
            for told in answers.notifies(timeout=min(left, _LOOK_SECONDS)):
                if told.payload == str(command_id):
                    break
            with database.session(scope) as session:
                answer = _take_answer(session, command_id)
            if answer is not None:
                return answer
        with database.session(scope) as session:
            _give_up(session, command_id, clock.now())
    raise EdgeSilent


def call_to_ask_about(session: Session, site_id: UUID, record_id: UUID) -> CallRecord:
    """The record of a call of this site; its edge knows more of it.

    Raises:
        NotFound: there is no such call at this site.
    """
    call = get_or_refuse(session, CallRecord, record_id)
    if call.site_id != site_id:
        raise NotFound
    return call


def _take_answer(session: Session, command_id: UUID) -> str | None:
    """The answer, which is not kept any longer; None as long as there is none."""
    row = session.get(Command, command_id, with_for_update=True)
    if row is None or row.finished_at is None:
        return None
    answer, row.result = row.result, ""
    if not row.ok:
        raise EdgeCannotAnswer
    return answer


def _give_up(session: Session, command_id: UUID, now: datetime) -> None:
    """Nobody waits any more: what comes now is not kept."""
    row = session.get(Command, command_id, with_for_update=True)
    if row is not None:
        row.finished_at, row.ok, row.result = now, False, ""
