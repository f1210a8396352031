"""Commands to edges: written here, sent by the hub at once or when the edge returns, answered or expired."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import Command, Edge
from cloud.pbx.database import SITE_CHANNEL, notify
from cloud.pbx.edges import KnownEdge
from cloud.pbx.errors import NotFound
from cloud.pbx.storable import storable_text
from cloud.tokens import Tokens
from contract.sync import messages

VALID_SECONDS = 300.0
"""A command that no edge took by then is not carried out any more."""
MAX_TAKEN = 100
ANSWERS_CHANNEL = "tandem_answers"
"""Payload: id of a command that was answered."""


def give_command(
    session: Session,
    tokens: Tokens,
    edge_id: UUID,
    name: str,
    arguments: dict[str, str],
    now: datetime,
    valid_seconds: float = VALID_SECONDS,
) -> Command:
    """Tell an edge to do something.

    Args:
        valid_seconds: when no edge took it by then, it is not carried out.

    Raises:
        NotFound: there is no such edge in this scope.
    """
    edge = session.get(Edge, edge_id)
    if edge is None:
        raise NotFound
    command = Command(
        id=tokens.id(),
        tenant_id=edge.tenant_id,
        edge_id=edge.id,
        name=name,
        arguments=dict(arguments),
        expires_at=now + timedelta(seconds=valid_seconds),
    )
    session.add(command)
    session.flush()
    notify(session, SITE_CHANNEL, str(edge.site_id))
    return command


def take_commands(session: Session, edge: KnownEdge, now: datetime, *, again: bool = False) -> list[messages.Command]:
    """The commands to send to an edge now, oldest first; they count as sent.

    Args:
        again: also those that were sent and never answered: for a new connection.
    """
    waiting = select(Command).where(
        Command.edge_id == edge.edge_id, Command.finished_at.is_(None), Command.expires_at > now
    )
    if not again:
        waiting = waiting.where(Command.sent_at.is_(None))
    rows = (
        session.execute(waiting.order_by(Command.id).limit(MAX_TAKEN).with_for_update(skip_locked=True)).scalars().all()
    )
    for row in rows:
        row.sent_at = now
    session.flush()
    return [messages.Command(command_id=str(row.id), name=row.name, arguments=row.arguments) for row in rows]


def finish_command(session: Session, edge: KnownEdge, result: messages.CommandResult, now: datetime) -> bool:
    """Keep the answer to a command; False when it is not one of this edge's open commands."""
    try:
        command_id = UUID(result.command_id)
    except ValueError:
        return False
    row = session.get(Command, command_id, with_for_update=True)
    if row is None or row.edge_id != edge.edge_id or row.finished_at is not None:
        return False
    row.finished_at, row.ok, row.result = now, result.ok, storable_text(result.content or result.text)
    session.flush()
    notify(session, ANSWERS_CHANNEL, str(row.id))
    return True
