"""Recordings that nothing needs any more: of messages that are gone, of calls and conferences whose days are over."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from cloud.models import CallRecording, Site, VoicemailMessage, VoicemailRecording
from cloud.objects import ObjectStore
from cloud.pbx.call_recordings import is_over
from cloud.pbx.messages import forget_old

_AT_ONCE: Final = 50
_Row = TypeVar("_Row", CallRecording, VoicemailRecording)


def tenants_with_recordings(session: Session) -> list[UUID]:
    """The tenants of this scope that have messages or recordings."""
    kinds = (VoicemailMessage.tenant_id, VoicemailRecording.tenant_id, CallRecording.tenant_id)
    found: set[UUID] = set()
    for kind in kinds:
        found |= set(session.scalars(select(kind).distinct()))
    return sorted(found)


def sweep_recordings(session: Session, store: ObjectStore, tenant_id: UUID, now: datetime) -> int:
    """Let go of a tenant's recordings that no message names, that their site keeps no longer, or whose site is gone.

    Messages that their site keeps no longer go before that, should its edge be away.

    Returns:
        How many recordings are gone: so many at once of each kind at most.
    """
    sites = session.scalars(select(Site).where(Site.tenant_id == tenant_id)).all()
    for site in sites:
        forget_old(session, site, now)
    named = exists().where(
        VoicemailMessage.tenant_id == VoicemailRecording.tenant_id,
        or_(
            VoicemailMessage.digest == VoicemailRecording.digest,
            VoicemailMessage.comment_digest == VoicemailRecording.digest,
        ),
    )
    of_messages = select(VoicemailRecording).where(VoicemailRecording.tenant_id == tenant_id, ~named)
    without_site = ~exists().where(Site.id == CallRecording.site_id)
    over = or_(without_site, is_over(session, [site.id for site in sites], now))
    of_calls = select(CallRecording).where(CallRecording.tenant_id == tenant_id, over)
    gone = _let_go(session, store, of_messages, lambda row: row.digest if row.stored_at is not None else None)
    return gone + _let_go(session, store, of_calls, lambda row: row.object_digest)


def _let_go(session: Session, store: ObjectStore, query: Select[_Row], object_of: Callable[[_Row], str | None]) -> int:
    """The object goes first, so that none is left without a row."""
    rows = session.scalars(query.limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
    for row in rows:
        if (digest := object_of(row)) is not None:
            store.delete(row.tenant_id, digest)
        session.delete(row)
    session.flush()
    return len(rows)
