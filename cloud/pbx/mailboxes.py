"""What users set of their mailboxes: a PIN and the greeting in use, site state as the keys of a phone change it."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from cloud.models import User
from cloud.pbx.checks import Problems
from cloud.pbx.desk import Desk
from cloud.pbx.group_mailboxes import owned_by
from cloud.pbx.state import site_records, write_state
from cloud.pbx.users import get_user
from contract.dialplan.voicemail import HAS_MAILBOX
from contract.mailbox_state import GREETING, GREETINGS, PIN, Greeting
from contract.pin import LONGEST, SHORTEST, hashed, is_fit


@dataclass(frozen=True, slots=True)
class MailboxView:
    """A user's mailbox as it is shown; never its PIN."""

    has_mailbox: bool
    has_messages: bool
    pin_set: bool
    greeting: Greeting


def get_mailbox(session: Session, user_id: UUID, only: UUID | None = None) -> MailboxView:
    """What counts for a user now, as far as the cloud knows; whoever may see `only` one finds no other."""
    return _view(session, get_user(session, user_id, only))


def change_mailbox(
    desk: Desk,
    user_id: UUID,
    pin: SecretStr | None = None,
    greeting: Greeting | None = None,
    only: UUID | None = None,
) -> MailboxView:
    """Change what is given: at the edge at once where it is online, else as soon as it is.

    Args:
        pin: the new one; None: as it was.
        greeting: which is in use from now on; None: as it was.
        only: whoever may change one user only.

    Raises:
        Invalid: the PIN is too short or too simple.
    """
    user = get_user(desk.session, user_id, only)
    problems = Problems()
    if pin is not None and not is_fit(pin.get_secret_value(), user.extension or ""):
        problems.add(
            "pin", f"{SHORTEST} to {LONGEST} digits, not all the same, no run such as 1234, and not the extension"
        )
    problems.check()
    before, now = _view(desk.session, user), desk.clock.now()
    if pin is not None:
        salt = desk.tokens.secret(16).hex()
        write_state(desk.session, user.site_id, f"{PIN}/{user.id}", hashed(pin.get_secret_value(), salt), now)
    if greeting is not None:
        write_state(desk.session, user.site_id, f"{GREETING}/{user.id}", greeting, now)
    desk.flush()
    after = _view(desk.session, user)
    told: dict[str, list[object]] = {}
    if pin is not None:
        told["pin"] = ["set" if before.pin_set else None, "changed"]
    if before.greeting != after.greeting:
        told["greeting"] = [before.greeting, after.greeting]
    if told:
        desk.record("user.mailbox_changed", "user", user.id, told, user.tenant_id)
    return after


def _view(session: Session, user: User) -> MailboxView:
    kept = {
        kind: record.value
        for record in site_records(session, user.site_id)
        for kind, _, owner in [record.key.partition("/")]
        if owner == str(user.id) and kind in (PIN, GREETING)
    }
    found = kept.get(GREETING)
    has_mailbox = user.enabled and HAS_MAILBOX in user.permissions
    return MailboxView(
        has_mailbox=has_mailbox,
        has_messages=has_mailbox or (user.enabled and bool(owned_by(session, user.site_id, user.id))),
        pin_set=bool(kept.get(PIN)),
        greeting=next((one for one in GREETINGS if one == found), GREETINGS[0]),
    )
