"""Who changed what, written in the transaction of the change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cloud.models import AuditEntry
from cloud.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever makes a change: an account, or a process of the cloud (`account_id` None)."""

    name: str
    """The account's e-mail address, or the process's name."""
    account_id: UUID | None = None
    source: str = ""
    """IP address of the request."""


def record(
    session: Session,
    tokens: Tokens,
    actor: Actor,
    action: str,
    resource: str,
    resource_id: UUID | str,
    *,
    tenant_id: UUID | None = None,
    msp_id: UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Note one change.

    Args:
        action: such as `user.updated`.
        resource: the kind of thing changed, such as `user`.
        tenant_id: the tenant it belongs to; None for what belongs to an MSP (`msp_id`) or to the platform.
        changes: field → [before, after], JSON values; never a secret's value.
    """
    session.add(
        AuditEntry(
            id=tokens.id(),
            tenant_id=tenant_id,
            msp_id=msp_id,
            account_id=actor.account_id,
            actor=actor.name,
            action=action,
            resource=resource,
            resource_id=str(resource_id),
            changes=dict(changes or {}),
            source=actor.source,
        )
    )
    session.flush()
