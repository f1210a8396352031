"""Where a user has voicemail put besides: a folder of an IMAP mailbox, such as one on an Exchange server."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.models import VoicemailImap
from cloud.pbx.checks import invalid
from cloud.pbx.desk import Desk
from cloud.pbx.secrets import KeyService, SecretVersion, reveal_secret
from cloud.pbx.users import get_user

USUAL_PORTS: Final = {"tls": 993, "starttls": 143}


class ImapSecurity(StrEnum):
    """How the connection is encrypted; without that nothing is sent."""

    TLS = "tls"
    STARTTLS = "starttls"


@dataclass(frozen=True, slots=True)
class ImapWish:
    """Where a user wants messages put.

    Args:
        host: of the server; empty: nowhere.
        port: of it.
        security: `tls` from the first byte, or `starttls`.
        username: the account there.
        folder: where the messages go.
        delete_after: whether the message lies among the deleted once it was put there with its recording.
        problem: why the last message was not taken; empty: it was, or there was none.
        tried_at: when that was.
    """

    host: str = ""
    port: int = USUAL_PORTS["tls"]
    security: ImapSecurity = ImapSecurity.TLS
    username: str = ""
    folder: str = "INBOX"
    delete_after: bool = False
    problem: str = ""
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImapLogIn:
    """What putting a message there needs; the password shows in no text of it."""

    host: str
    port: int
    security: ImapSecurity
    username: str
    password: SecretStr
    folder: str


_FIELDS: Final = ("host", "port", "security", "username", "folder", "delete_after")


def get_imap_wish(session: Session, user_id: UUID, only: UUID | None = None) -> ImapWish:
    """Where a user has messages put; whoever may see `only` one finds no other."""
    row = session.get(VoicemailImap, get_user(session, user_id, only).id)
    return _wish(row) if row is not None else ImapWish()


def set_imap_wish(
    desk: Desk, user_id: UUID, wish: ImapWish, password: SecretStr | None, only: UUID | None = None
) -> ImapWish:
    """Put this in the place of what was before.

    Args:
        desk: where the change is made.
        user_id: whose voicemail.
        wish: without a host, nothing is put anywhere any more.
        password: None: the one that is known, which goes to the same account of the same server only.
        only: see `get_imap_wish`.

    Raises:
        Invalid: the account is not whole, or its password is missing.
    """
    user = get_user(desk.session, user_id, only)
    before = get_imap_wish(desk.session, user_id, only)
    row = desk.session.get(VoicemailImap, user.id)
    if not wish.host:
        if row is not None:
            desk.session.delete(row)
            desk.flush()
            desk.record("user.voicemail_imap_changed", "user", user.id, {"host": [before.host, ""]}, user.tenant_id)
        return ImapWish()
    if not wish.username:
        raise invalid("username", "Say which account of the server the messages go to")
    same = all(getattr(wish, name) == getattr(before, name) for name in ("host", "port", "security", "username"))
    if password is None and not same:
        raise invalid("password", "Give the password with the account, also where the server or the account changes")
    changed: dict[str, list[object]] = {
        name: [getattr(before, name), getattr(wish, name)]
        for name in _FIELDS
        if getattr(before, name) != getattr(wish, name)
    }
    if row is None:
        row = VoicemailImap(user_id=user.id, tenant_id=user.tenant_id)
    row.host, row.port, row.security, row.username = wish.host, wish.port, wish.security.value, wish.username
    row.folder, row.delete_after = wish.folder, wish.delete_after
    if password is not None:
        kept = desk.keep_secret(user.tenant_id, password, row.secret_id)
        row.secret_id, row.secret_version = kept.secret_id, kept.version
        changed["password"] = [None, "changed"]
    desk.session.add(row)  # only now is it whole
    if changed:
        row.problem, row.tried_at = "", None
        desk.flush()
        desk.record("user.voicemail_imap_changed", "user", user.id, changed, user.tenant_id)
    return _wish(row)


def imap_log_in(session: Session, keys: KeyService, user_id: UUID) -> ImapLogIn | None:
    """What it takes to put a message where a user wants it now; None: nowhere any more.

    Raises:
        SecretUnreadable: the password cannot be opened.
    """
    row = session.get(VoicemailImap, user_id)
    if row is None:
        return None
    password = reveal_secret(session, keys, SecretVersion(row.secret_id, row.secret_version))
    return ImapLogIn(row.host, row.port, ImapSecurity(row.security), row.username, password, row.folder)


def imap_tried(session: Session, user_id: UUID, problem: str, now: datetime) -> None:
    """Keep how it went with the last message."""
    row = session.get(VoicemailImap, user_id)
    if row is not None:
        row.problem, row.tried_at = problem[:500], now


def _wish(row: VoicemailImap) -> ImapWish:
    return ImapWish(
        row.host,
        row.port,
        ImapSecurity(row.security),
        row.username,
        row.folder,
        row.delete_after,
        row.problem,
        row.tried_at,
    )
