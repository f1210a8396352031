"""Publishing: a save asks for it in its own transaction; a publisher compiles the site and stores its next version."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloud.errors import CloudError
from cloud.models import PublishRefusal, Site, Snapshot
from cloud.pbx.compiler import compile_site
from cloud.pbx.database import SITE_CHANNEL, Database, Scope, notify
from cloud.pbx.errors import NotFound
from cloud.pbx.expectations import failures
from cloud.pbx.outbox import request_job
from cloud.pbx.redirect_requests import request_sync
from cloud.tokens import Tokens
from contract import snapshot as contract

PUBLISH_SITE = "publish_site"
_ATTEMPTS = 3
_CAUSE_LENGTH = 200


class PublishedMeanwhile(CloudError):
    """Others published the site again and again while this publisher compiled it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a site came to."""

    version: int
    digest: str
    new: bool
    """False: the configuration is what the newest version says already."""
    refused: tuple[str, ...] = ()
    """Why nothing was published: calls would not go where the tenant expects."""


def request_publish(session: Session, tokens: Tokens, site_id: UUID, cause: str) -> None:
    """Publish the site once this transaction is committed; several requests before that are one.

    Args:
        cause: what was changed, for people, such as `user 200 disabled`.

    Raises:
        NotFound: there is no such site in this scope.
    """
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound
    session.flush()
    request_job(
        session,
        tokens,
        tenant_id=site.tenant_id,
        kind=PUBLISH_SITE,
        key=str(site_id),
        payload={"site_id": str(site_id), "cause": cause[:_CAUSE_LENGTH]},
    )
    request_sync(session, tokens, site.tenant_id)


def publish_site(database: Database, scope: Scope, site_id: UUID, cause: str) -> Publication:
    """Compile the site and store the result as its next version, unless it says what the newest does.

    A configuration by which calls would not go where the tenant expects is not published; why is kept.

    Raises:
        NotFound: there is no such site in this scope.
        PublishedMeanwhile: others were faster, again and again; try later.
    """
    for _ in range(_ATTEMPTS):
        try:
            with database.session(scope, isolation="REPEATABLE READ") as session:
                return _publish(session, site_id, cause)
        except IntegrityError:
            continue  # another publisher stored that version; compile what is saved by now
    raise PublishedMeanwhile(PublishedMeanwhile.__doc__)


def _publish(session: Session, site_id: UUID, cause: str) -> Publication:
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound
    newest = newest_version(session, site_id)
    snapshot = compile_site(session, site_id, newest.version + 1 if newest is not None else 1)
    digest = contract.snapshot_digest(snapshot)
    if newest is not None and newest.digest == digest:
        session.execute(delete(PublishRefusal).where(PublishRefusal.site_id == site_id))
        return newest
    if refused := tuple(failures(session, site_id, snapshot)):
        session.merge(PublishRefusal(tenant_id=site.tenant_id, site_id=site_id, cause=cause, problems=list(refused)))
        return Publication(newest.version if newest is not None else 0, digest, new=False, refused=refused)
    session.execute(delete(PublishRefusal).where(PublishRefusal.site_id == site_id))
    session.add(
        Snapshot(
            tenant_id=site.tenant_id,
            site_id=site_id,
            version=snapshot.version,
            digest=digest,
            content=snapshot.model_dump(mode="json"),
            cause=cause,
        )
    )
    session.flush()
    notify(session, SITE_CHANNEL, str(site_id))
    return Publication(version=snapshot.version, digest=digest, new=True)


def newest_version(session: Session, site_id: UUID) -> Publication | None:
    """The newest version of a site without its content; None before the first publication."""
    row = session.execute(
        select(Snapshot.version, Snapshot.digest)
        .where(Snapshot.site_id == site_id)
        .order_by(Snapshot.version.desc())
        .limit(1)
    ).one_or_none()
    return Publication(version=row.version, digest=row.digest, new=False) if row is not None else None


def latest_snapshot(session: Session, site_id: UUID) -> contract.Snapshot | None:
    """The newest published snapshot of a site; None before the first publication."""
    newest = newest_version(session, site_id)
    return snapshot_version(session, site_id, newest.version) if newest is not None else None


def snapshot_version(session: Session, site_id: UUID, version: int) -> contract.Snapshot | None:
    """One published version of a site; None when there is none of that number.

    Raises:
        contract.snapshot.SnapshotProblems: what is stored is no snapshot of a schema known here.
    """
    row = session.get(Snapshot, (site_id, version))
    return contract.parse_snapshot(row.content) if row is not None else None
