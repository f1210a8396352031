"""/users/{id}/mailbox: its PIN, its greeting, and where messages are mailed and put; users change their own."""

import re
from datetime import datetime
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import AfterValidator, Field, SecretStr

from cloud.api.chalicelib.fields import Email, Patch, PathId, Sent, Shown, absent
from cloud.api.chalicelib.operation import new_router, operation
from cloud.api.chalicelib.work import Current
from cloud.pbx import mailboxes, voicemail_imap, voicemail_lists, voicemail_mails
from cloud.pbx.voicemail_imap import USUAL_PORTS, ImapSecurity, ImapWish
from cloud.pbx.voicemail_mails import MailFormat, MailRecording, MailWish
from contract.mailbox_state import MOST_MEMBERS, Greeting
from contract.pin import LONGEST

router = new_router()

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
ListDigit = Annotated[str, Path(pattern=r"^[0-9]$", description="The list: what is pressed for it")]


class Mailbox(Shown):
    """A user's mailbox, as far as the cloud knows: a change at the user's phone arrives with its edge."""

    has_mailbox: bool = Field(description="Whether the user has one: by the permission Voicemail")
    has_messages: bool = Field(
        description="Whether messages come to the user: also those of mailboxes owned with others"
    )
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


class OwnListShown(Shown):
    """A distribution list of the user's own."""

    digit: str = Field(description="What is pressed for it, behind a star, where an extension is asked for")
    members: list[str] = Field(description="Mailboxes, by their ids")


class NamedMailboxShown(Shown):
    """A mailbox of the site."""

    id: str
    name: str
    extension: str


class OwnListsShown(Shown):
    """The user's lists, and what can be on them."""

    items: list[OwnListShown]
    mailboxes: list[NamedMailboxShown] = Field(description="Every mailbox of the site, by name")


class OwnListSet(Sent):
    """Who is to be on a list; nobody: there is no such list then."""

    members: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MOST_MEMBERS)]


@router.get(
    "/users/<user_id>/mailbox/lists",
    **operation("getVoicemailLists", "users", "A user's distribution lists for voicemail", "user"),
)
def get_lists(work: Current, user_id: PathId) -> OwnListsShown:
    return OwnListsShown.model_validate(voicemail_lists.get_lists(work.session, user_id, work.only_user))


@router.put(
    "/users/<user_id>/mailbox/lists/<digit>",
    **operation("setVoicemailList", "users", "Say which mailboxes are on a distribution list of a user", "user"),
)
def set_list(work: Current, user_id: PathId, digit: ListDigit, body: OwnListSet) -> OwnListsShown:
    lists = voicemail_lists.put_list(work.desk, user_id, digit, body.members, work.only_user)
    return OwnListsShown.model_validate(lists)


class VoicemailMailShown(Shown):
    """What is mailed when a message was left."""

    email: str | None = Field(description="Where to; null: nothing is mailed")
    recording: MailRecording = Field(description="Whether the recording is attached, linked, or neither")
    format: MailFormat = Field(description="brief: who; medium: also when and how long; full: everything")
    delete_after: bool = Field(description="Whether the message lies among the deleted once it was mailed")


class VoicemailMailSet(Sent):
    """What is to be mailed; the recording is attached where the site lets recordings leave, up to 15 MB."""

    email: Email | None = None
    recording: MailRecording = "none"
    format: MailFormat = "full"
    delete_after: bool = False


@router.get(
    "/users/<user_id>/mailbox/mail",
    **operation("getVoicemailMail", "users", "What a user has mailed when a message was left", "user"),
)
def get_mail(work: Current, user_id: PathId) -> VoicemailMailShown:
    return _mail_shown(voicemail_mails.get_mail_wish(work.session, user_id, work.only_user))


@router.put(
    "/users/<user_id>/mailbox/mail",
    **operation("setVoicemailMail", "users", "Have messages mailed when they were left, or no longer", "user"),
)
def set_mail(work: Current, user_id: PathId, body: VoicemailMailSet) -> VoicemailMailShown:
    wish = MailWish(body.email or "", body.recording, body.format, body.delete_after)
    return _mail_shown(voicemail_mails.set_mail_wish(work.desk, user_id, wish, work.only_user))


def _mail_shown(wish: MailWish) -> VoicemailMailShown:
    return VoicemailMailShown(
        email=wish.address or None, recording=wish.recording, format=wish.format, delete_after=wish.delete_after
    )


class VoicemailImapShown(Shown):
    """The IMAP mailbox that messages are put into when they were left."""

    host: str | None = Field(description="The server; null: messages are put nowhere")
    port: int
    security: ImapSecurity = Field(description="tls from the first byte, or starttls")
    username: str
    folder: str
    delete_after: bool = Field(description="Whether the message lies among the deleted once it was put there")
    problem: str = Field(description="Why the last message was not taken; empty: it was, or there was none")
    tried_at: datetime | None = Field(description="When a message was last put there, or tried to be")


def _printable(password: SecretStr) -> SecretStr:
    """What `pattern` does for text: it cannot be applied to a secret."""
    if _CONTROL.search(password.get_secret_value()):
        raise ValueError("it has control characters")
    return password


class VoicemailImapSet(Sent):
    """Where messages are to be put; the recording comes along where the site lets recordings leave, up to 15 MB."""

    host: Annotated[str, Field(max_length=253, pattern=r"^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$")] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="null: 993, or 143 by starttls"
    )
    security: ImapSecurity = ImapSecurity.TLS
    username: Annotated[str, Field(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    password: Annotated[SecretStr, Field(min_length=1, max_length=256), AfterValidator(_printable)] | None = Field(
        default=None, description="null: the one that is known, for the same account of the same server"
    )
    folder: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = "INBOX"
    delete_after: bool = False


@router.get(
    "/users/<user_id>/mailbox/imap",
    **operation("getVoicemailImap", "users", "The IMAP mailbox that a user's messages are put into", "user"),
)
def get_imap(work: Current, user_id: PathId) -> VoicemailImapShown:
    return _imap_shown(voicemail_imap.get_imap_wish(work.session, user_id, work.only_user))


@router.put(
    "/users/<user_id>/mailbox/imap",
    **operation("setVoicemailImap", "users", "Have messages put into an IMAP mailbox, or no longer", "user"),
)
def set_imap(work: Current, user_id: PathId, body: VoicemailImapSet) -> VoicemailImapShown:
    port = body.port or USUAL_PORTS[body.security]
    wish = ImapWish(body.host or "", port, body.security, body.username, body.folder, body.delete_after)
    return _imap_shown(voicemail_imap.set_imap_wish(work.desk, user_id, wish, body.password, work.only_user))


def _imap_shown(wish: ImapWish) -> VoicemailImapShown:
    return VoicemailImapShown(
        host=wish.host or None,
        port=wish.port,
        security=wish.security,
        username=wish.username,
        folder=wish.folder,
        delete_after=wish.delete_after,
        problem=wish.problem,
        tried_at=wish.tried_at,
    )
