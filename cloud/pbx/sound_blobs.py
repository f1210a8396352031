"""Sound files that dial plans and users name by their digest: greetings, announcements and music."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import Session

from cloud.models import DialPlan, Sound, User
from cloud.pbx.firmware_rows import sizes_of
from contract import snapshot as contract
from contract.values import Digest


def with_sounds(
    session: Session,
    tenant_id: UUID,
    plan: contract.DialPlan,
    users: Iterable[contract.User],
    others: Iterable[contract.Blob],
) -> tuple[contract.Blob, ...]:
    """The manifest of a snapshot: further files, and those that plan and users name, which it does not run without.

    One that the tenant never announced is not in it, which the snapshot's own check then names.

    Args:
        session: in the tenant's scope.
        tenant_id: whose files.
        plan: of the site.
        users: of the site.
        others: files that other parts name.
    """
    found = {blob.digest: blob for blob in others}
    for digest, size in sizes_of(session, tenant_id, {digest for digest, _ in contract.sounds_of(plan, users)}).items():
        found[digest] = contract.Blob(digest=digest, size_bytes=size, needed=True)
    return tuple(sorted(found.values(), key=lambda blob: blob.digest))


def named_sounds(session: Session, tenant_id: UUID) -> Collection[Digest]:
    """Every file that a dial plan or a user of the tenant names, or that the tenant keeps by name."""
    named = func.jsonb_path_query(DialPlan.document, cast("$.**.digest", JSONPATH), type_=JSONB)
    in_plans = session.scalars(select(named).where(DialPlan.tenant_id == tenant_id)).all()
    of_users = select(User.music["digest"].astext).where(User.tenant_id == tenant_id, User.music.is_not(None))
    kept = select(Sound.digest).where(Sound.tenant_id == tenant_id)
    return {*in_plans, *session.scalars(of_users.distinct()).all(), *session.scalars(kept).all()}
