"""Who listened to what others said, in the audit."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from cloud.models import AuditEntry
from cloud.pbx.desk import Desk

LISTENING: Final = timedelta(hours=1)
"""Parts of a recording that somebody asks for within it are one listening in the audit."""


def note_listening(
    desk: Desk, action: str, of: tuple[str, UUID], what: tuple[str, UUID], tenant_id: UUID | None
) -> None:
    """Write into the audit that somebody listens: once for all the parts that he asks for within `LISTENING`.

    Args:
        action: such as `call_recording.listened`.
        of: the kind of resource that the recording belongs to, and its id.
        what: what names the recording in the entry, and its id.
        tenant_id: whose it is.
    """
    (resource, resource_id), (name, id_) = of, what
    account = AuditEntry.account_id == desk.actor.account_id
    query = select(AuditEntry.id).where(
        AuditEntry.tenant_id == tenant_id,
        AuditEntry.at > desk.clock.now() - LISTENING,
        AuditEntry.action == action,
        AuditEntry.resource_id == str(resource_id),
        AuditEntry.changes[name][1].as_string() == str(id_),
        account if desk.actor.account_id is not None else AuditEntry.actor == desk.actor.name,
    )
    if desk.session.execute(query.limit(1)).first() is None:
        desk.record(action, resource, resource_id, {name: [None, str(id_)]}, tenant_id)
