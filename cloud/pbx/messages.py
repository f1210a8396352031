"""The messages of mailboxes: told by edges, shown, and changed from here as the edges are to have them.

The later stamp counts (`contract.sync.state`): a change made here is written with a stamp after the one it was based
on and goes to the edge as a command; a change made at the site later than that comes back as an event, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cloud.models import EventRow, Site, User, VoicemailMessage, VoicemailRecording
from cloud.pbx.checks import get_or_refuse
from cloud.pbx.commands import give_command
from cloud.pbx.desk import Desk
from cloud.pbx.errors import NotFound
from cloud.pbx.fax_calls import fax_columns, note_in_record
from cloud.pbx.group_mailboxes import owned_by, owned_mailboxes
from cloud.pbx.pages import Page, PageRequest, newest_first
from cloud.pbx.site_policies import in_force
from cloud.pbx.storable import storable_text
from cloud.pbx.webhooks import announce
from cloud.tokens import Tokens
from contract.snapshot import VoicemailPolicy
from contract.sync.mailbox_events import CHANGE_MESSAGE, MessageChanged, MessageFolder, MessageWish
from contract.sync.state import Stamp, next_stamp

CLOUD_NODE: Final = "cloud"
"""Who wrote, in stamps of changes that are made here."""
WISH_SECONDS: Final = 30 * 86_400.0
"""How long a change waits for an edge that is away."""


@dataclass(frozen=True, slots=True)
class FolderCount:
    """How many messages a folder has, and how many of them nobody heard."""

    messages: int
    unheard: int


def _stamp(row: VoicemailMessage) -> Stamp:
    return Stamp(wall_ms=row.wall_ms, counter=row.counter, node=row.node)


def _about(row: VoicemailMessage) -> dict[str, Any]:
    """What a webhook says of a message."""
    return {
        "site_id": str(row.site_id),
        "edge_id": str(row.edge_id),
        "user_id": str(row.user_id) if row.user_id else None,
        "mailbox_id": row.mailbox_id,
        "message_id": str(row.id),
        "folder": row.folder,
        "heard": row.heard,
        "urgent": row.urgent,
        "caller_number": row.caller_number,
        "caller_name": row.caller_name,
        "received_at": row.received_at.isoformat().replace("+00:00", "Z"),
        "duration_seconds": row.duration_seconds,
        "fax_pages": row.fax_pages,
    }


# From the edges


def take_message(
    session: Session, tokens: Tokens, row: EventRow, at: datetime, what: MessageChanged
) -> VoicemailMessage | None:
    """Take in what an edge tells of a message.

    Returns:
        The message, where it is news: it was just left.
    """
    user_id, mailbox_id = _whose(session, row, what)
    of_group = and_(VoicemailMessage.site_id == row.site_id, VoicemailMessage.mailbox_id == mailbox_id)
    whose = VoicemailMessage.user_id == user_id if user_id else of_group
    this = (whose, VoicemailMessage.message_id == what.message_id)
    if what.gone:
        known = session.scalar(select(VoicemailMessage).where(*this))
        if known is not None and known.edge_id == row.edge_id:
            session.delete(known)
            session.flush()
            announce(session, tokens, row.tenant_id, "voicemail.gone", at, _about(known))
        return None
    for recording in (what.recording, *((what.comment,) if what.comment else ())):
        session.execute(
            insert(VoicemailRecording)
            .values(tenant_id=row.tenant_id, digest=recording.digest, size_bytes=recording.size_bytes)
            .on_conflict_do_nothing()
        )
    known = session.scalar(select(VoicemailMessage).where(*this).with_for_update())
    if known is None:
        known = VoicemailMessage(
            id=tokens.id(),
            tenant_id=row.tenant_id,
            site_id=row.site_id,
            edge_id=row.edge_id,
            user_id=user_id,
            mailbox_id=mailbox_id,
            message_id=what.message_id,
            urgent=what.urgent,
            caller_number=storable_text(what.caller_number),
            caller_name=storable_text(what.caller_name),
            caller_user_id=_id_of(what.caller_user_id),
            forwarded_by=storable_text(what.forwarded_by),
            received_at=what.received_at,
            duration_seconds=what.duration_seconds,
            digest=what.recording.digest,
            comment_digest=what.comment.digest if what.comment else None,
            **(fax_columns(what.fax) if what.fax is not None else {}),
            **_changing(what),
        )
        session.add(known)
        session.flush()
        note_in_record(session, known)
        if what.listed:
            return None
        announce(session, tokens, row.tenant_id, "voicemail.left", at, _about(known))
        return known
    if known.edge_id == row.edge_id and what.stamp.order() > _stamp(known).order():
        before = (known.folder, known.heard)
        for name, value in _changing(what).items():
            setattr(known, name, value)
        session.flush()
        _announce_change(session, tokens, known, before, at)
    return None


def _whose(session: Session, row: EventRow, what: MessageChanged) -> tuple[UUID | None, str | None]:
    """The user or the group mailbox that a message is of.

    Raises:
        ValueError: the tenant has no such user, and the site no such mailbox.
    """
    user_id = _id_of(what.user_id)
    if user_id is not None and session.get(User, user_id) is not None:
        return user_id, None
    if what.gone or any(one.service_id == what.user_id for one in owned_mailboxes(session, row.site_id)):
        return None, what.user_id
    raise ValueError(f"no mailbox {what.user_id}")


def _id_of(text: str | None) -> UUID | None:
    """A user's id; None: it is none, such as that of a group mailbox."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _changing(what: MessageChanged) -> dict[str, Any]:
    """What changes in the life of a message."""
    stamp = what.stamp
    return {
        "wall_ms": stamp.wall_ms,
        "counter": stamp.counter,
        "node": stamp.node,
        "folder": what.folder,
        "heard": what.heard,
        "deleted_at": what.deleted_at,
    }


def _announce_change(
    session: Session, tokens: Tokens, row: VoicemailMessage, before: tuple[str, bool], at: datetime
) -> None:
    folder, heard = before
    told = []
    if row.heard and not heard:
        told.append("voicemail.heard")
    if row.folder != folder:
        names = {"deleted": "voicemail.deleted"}
        told.append("voicemail.undeleted" if folder == "deleted" else names.get(row.folder, "voicemail.moved"))
    for event_type in told:
        announce(session, tokens, row.tenant_id, event_type, at, _about(row))


# For people


def list_messages(
    session: Session,
    user_id: UUID,
    request: PageRequest,
    now: datetime,
    folder: MessageFolder | None = None,
    only: UUID | None = None,
) -> Page[VoicemailMessage]:
    """A user's messages and those of his groups' mailboxes, the latest first, but what the site would have deleted."""
    query = _of_user(session, user_id, now, only)
    if folder is not None:
        query = query.where(VoicemailMessage.folder == folder)
    return newest_first(session, query, VoicemailMessage.received_at, VoicemailMessage.id, request)


def count_messages(
    session: Session, user_id: UUID, now: datetime, only: UUID | None = None
) -> dict[MessageFolder, FolderCount]:
    """How many there are, by folder."""
    inner = _of_user(session, user_id, now, only).subquery()
    unheard = func.count().filter(inner.c.heard.is_(False))
    rows = session.execute(select(inner.c.folder, func.count(), unheard).group_by(inner.c.folder))
    found = {folder: FolderCount(messages, new) for folder, messages, new in rows}
    folders: tuple[MessageFolder, ...] = ("inbox", "saved", "deleted")
    return {folder: found.get(folder, FolderCount(0, 0)) for folder in folders}


def get_message(
    session: Session,
    user_id: UUID,
    message_id: UUID,
    now: datetime,
    only: UUID | None = None,
    *,
    for_change: bool = False,
) -> VoicemailMessage:
    """One message of a user.

    Raises:
        NotFound: he has none of that id, or the caller may not see it.
    """
    query = _of_user(session, user_id, now, only).where(VoicemailMessage.id == message_id)
    found = session.scalar(query.with_for_update() if for_change else query)
    if found is None:
        raise NotFound
    return found


def change_message(
    desk: Desk,
    user_id: UUID,
    message_id: UUID,
    folder: MessageFolder | None = None,
    heard: bool | None = None,
    only: UUID | None = None,
) -> VoicemailMessage:
    """Change a message, here at once, and at the edge at once or as soon as it is back.

    Args:
        folder: where it is to lie; None: where it was. Who moves it has heard it, unless `heard` says otherwise.
        heard: whether somebody listened to it; None: as it was.

    Raises:
        NotFound: as `get_message`.
    """
    row = get_message(desk.session, user_id, message_id, desk.clock.now(), only, for_change=True)
    before = (row.folder, row.heard)
    if change_row(desk.session, desk.tokens, row, desk.clock.now(), folder, heard):
        told: dict[str, list[object]] = {}
        if row.folder != before[0]:
            told["folder"] = [before[0], row.folder]
        if row.heard != before[1]:
            told["heard"] = [before[1], row.heard]
        desk.record("voicemail.changed", "user", user_id, {"message_id": [None, str(row.id)], **told}, row.tenant_id)
    return row


def change_row(
    session: Session,
    tokens: Tokens,
    row: VoicemailMessage,
    now: datetime,
    folder: MessageFolder | None = None,
    heard: bool | None = None,
) -> bool:
    """As `change_message`, for whoever asks by nobody's order; whether anything is other than before."""
    moved = folder is not None and folder != row.folder
    wanted_heard = heard if heard is not None else (row.heard or moved)
    if not moved and wanted_heard == row.heard:
        return False
    before = (row.folder, row.heard)
    stamp = next_stamp(_stamp(row), CLOUD_NODE, int(now.timestamp() * 1000))
    if moved:
        row.folder, row.deleted_at = str(folder), now if folder == "deleted" else None
    row.heard, row.wall_ms, row.counter, row.node = wanted_heard, stamp.wall_ms, stamp.counter, stamp.node
    session.flush()
    lies: Any = row.folder
    whose = row.mailbox_id or str(row.user_id)
    wish = MessageWish(user_id=whose, message_id=row.message_id, folder=lies, heard=row.heard, stamp=stamp)
    give_command(session, tokens, row.edge_id, CHANGE_MESSAGE, wish.arguments(), now, WISH_SECONDS)
    _announce_change(session, tokens, row, before, now)
    return True


def delete_mailed(session: Session, tokens: Tokens, message_id: UUID, now: datetime) -> None:
    """A message was mailed, and its user wants it deleted then; one that is gone already is no matter."""
    row = session.get(VoicemailMessage, message_id, with_for_update=True)
    if row is not None:
        change_row(session, tokens, row, now, folder="deleted")


def recordings_of(session: Session, row: VoicemailMessage) -> dict[str, VoicemailRecording]:
    """What is kept of a message's sound, by digest."""
    digests = [digest for digest in (row.digest, row.comment_digest) if digest is not None]
    query = select(VoicemailRecording).where(
        VoicemailRecording.tenant_id == row.tenant_id, VoicemailRecording.digest.in_(digests)
    )
    return {found.digest: found for found in session.scalars(query)}


def stored_digests(session: Session, rows: Sequence[VoicemailMessage]) -> frozenset[str]:
    """Which of these messages' recordings are in the object store."""
    query = select(VoicemailRecording.digest).where(
        VoicemailRecording.tenant_id.in_({row.tenant_id for row in rows}),
        VoicemailRecording.digest.in_({row.digest for row in rows}),
        VoicemailRecording.stored_at.is_not(None),
    )
    return frozenset(session.scalars(query)) if rows else frozenset()


def sites_whose_recordings_leave(session: Session, rows: Sequence[VoicemailMessage]) -> frozenset[UUID]:
    """Of the sites of these messages, those that let recordings leave."""
    sites = session.scalars(select(Site).where(Site.id.in_({row.site_id for row in rows}))) if rows else ()
    return frozenset(site.id for site in sites if in_force(VoicemailPolicy, site.voicemail).recordings_leave)


def _of_user(session: Session, user_id: UUID, now: datetime, only: UUID | None) -> Select[VoicemailMessage]:
    if only is not None and user_id != only:
        raise NotFound
    user = get_or_refuse(session, User, user_id)
    site = session.get(Site, user.site_id)
    whose = VoicemailMessage.user_id == user.id
    if groups := [one.service_id for one in owned_by(session, user.site_id, user.id)]:
        of_groups = and_(VoicemailMessage.site_id == user.site_id, VoicemailMessage.mailbox_id.in_(groups))
        whose = or_(whose, of_groups)
    query = select(VoicemailMessage).where(whose)
    return query.where(~_over(site, now)) if site is not None else query


def _over(site: Site, now: datetime) -> ColumnElement[bool]:
    """Whether the site keeps a message no longer; its edge, which decides it, may be away."""
    policy = in_force(VoicemailPolicy, site.voicemail)
    over = and_(
        VoicemailMessage.folder == "deleted",
        func.coalesce(VoicemailMessage.deleted_at, VoicemailMessage.received_at)
        < now - timedelta(days=policy.deleted_days),
    )
    if policy.kept_days:
        before = now - timedelta(days=policy.kept_days)
        over = or_(over, and_(VoicemailMessage.folder != "deleted", VoicemailMessage.received_at < before))
    return over


def forget_old(session: Session, site: Site, now: datetime) -> int:
    """Forget the messages that a site keeps no longer, should its edge be away; how many."""
    return len(
        session.execute(
            delete(VoicemailMessage)
            .where(VoicemailMessage.site_id == site.id, _over(site, now))
            .returning(VoicemailMessage.id)
        ).all()
    )
