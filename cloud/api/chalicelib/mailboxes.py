"""/users/{id}/mailbox: the PIN of a mailbox and its greeting in use; users change their own."""

from typing import Annotated

from pydantic import Field, SecretStr

from cloud.api.chalicelib.fields import Patch, PathId, Shown, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import mailboxes
from contract.mailbox_state import Greeting
from contract.pin import LONGEST

router = new_router()


class Mailbox(Shown):
    """A user's mailbox, as far as the cloud knows: a change at the user's phone arrives with its edge."""

    has_mailbox: bool = Field(description="Whether the user has one: by the permission Voicemail")
    pin_set: bool = Field(description="Whether there is a PIN, by which one logs in from other phones")
    greeting: Greeting = Field(description="Which one callers hear; one that was never recorded is the system's")


class MailboxPatch(Patch):
    """What changes. It is site state: the later change counts, whether made here or at a phone."""

    pin: Annotated[SecretStr, Field(max_length=LONGEST)] = absent()
    greeting: Greeting = absent()


@router.get("/users/<user_id>/mailbox", **operation("getMailbox", "users", "Get a user's mailbox", "user"))
def get_mailbox(work: Current, user_id: PathId) -> Mailbox:
    return Mailbox.model_validate(mailboxes.get_mailbox(work.session, user_id, only=work.only_user))


@router.patch(
    "/users/<user_id>/mailbox",
    **operation("changeMailbox", "users", "Change the PIN or the greeting of a user's mailbox", "user"),
)
def change_mailbox(work: Current, user_id: PathId, body: MailboxPatch) -> Mailbox:
    changed = mailboxes.change_mailbox(work.desk, user_id, **body.changes(), only=work.only_user)
    return Mailbox.model_validate(changed)
