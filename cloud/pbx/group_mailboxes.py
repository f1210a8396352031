"""The mailboxes of a site: those of its users, those that several users own together, and those for faxes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import DialPlan, User
from contract.dialplan.voicemail import HAS_MAILBOX
from contract.snapshot import Fax, GroupMailbox

OwnedMailbox = GroupMailbox | Fax
"""A mailbox that is a voice service of its own."""


@dataclass(frozen=True, slots=True)
class NamedMailbox:
    """A mailbox that messages can be sent to.

    Args:
        id: of its user, or of the voice service that it is.
        name: of them.
        extension: what is dialled for it; empty: nothing is.
    """

    id: str
    name: str
    extension: str


def owned_mailboxes(session: Session, site_id: UUID) -> list[OwnedMailbox]:
    """Those that are saved in a site's dial plan; of their owners some may be gone."""
    document = session.scalar(select(DialPlan.document).where(DialPlan.site_id == site_id)) or {}
    kinds: dict[str, type[OwnedMailbox]] = {"mailbox": GroupMailbox, "fax": Fax}
    services = [(kinds.get(one.get("kind", "")), one) for one in document.get("voice_services", ())]
    return [kind.model_validate(one, strict=False) for kind, one in services if kind is not None]


def group_mailboxes(session: Session, site_id: UUID) -> list[GroupMailbox]:
    """Those that take speech."""
    return [one for one in owned_mailboxes(session, site_id) if isinstance(one, GroupMailbox)]


def group_names(session: Session, site_id: UUID) -> dict[str, str]:
    """What they are called, by id."""
    return {one.service_id: one.name for one in owned_mailboxes(session, site_id)}


def owned_by(session: Session, site_id: UUID, user_id: UUID) -> list[OwnedMailbox]:
    """Those that a user owns, alone or with others."""
    return [one for one in owned_mailboxes(session, site_id) if str(user_id) in one.owners]


def mailboxes_of_site(session: Session, site_id: UUID) -> list[NamedMailbox]:
    """Every mailbox of a site, by name."""
    users = session.execute(
        select(User.id, User.display_name, User.username, User.extension).where(
            User.site_id == site_id, User.enabled, User.permissions.contains([HAS_MAILBOX])
        )
    )
    found = [NamedMailbox(str(one.id), one.display_name or one.username, one.extension or "") for one in users]
    found += [NamedMailbox(one.service_id, one.name, one.extension) for one in group_mailboxes(session, site_id)]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))
