"""Mails that tell people what cannot wait: written as jobs in the transaction of what they tell."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from cloud.pbx.outbox import request_job
from cloud.tokens import Tokens
from contract.snapshot.emergency import MailAddress
from contract.values import Digest

SEND_MAIL: Final = "send_mail"
RETRY_SECONDS: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0)
"""Pauses after each failure: what is told is soon old, but better late than never."""


class Attachment(BaseModel):
    """A recording that goes along with a mail, once it is there.

    Args:
        digest: of the recording.
        name: of the file; of a fax, which goes as PDF where it can, without what tells its kind.
        note: what the mail says of it; left out where it does not come along.
        message_id: of the message that has it.
        delete_after: whether that message is to lie among the deleted once the mail was taken.
        is_fax: whether it is a fax (TIFF) and no speech (WAV).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Digest
    name: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,100}$")]
    note: Annotated[str, Field(max_length=200)] = ""
    message_id: UUID
    delete_after: bool = False
    is_fax: bool = False


class Mail(BaseModel):
    """One mail to one person.

    Args:
        to: whom.
        subject: one line.
        text: plain; `{portal}` in it is where the portal is, `{note}` what is said of the attachment.
        attachment: what goes along; None: nothing.
        imap_user_id: into whose IMAP mailbox it is put, in place of being sent; None: it is sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: MailAddress
    subject: Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
    text: Annotated[str, Field(max_length=20_000)]
    attachment: Attachment | None = None
    imap_user_id: UUID | None = None


def request_mails(
    session: Session, tokens: Tokens, tenant_id: UUID, about: str, to: Sequence[str], subject: str, text: str
) -> None:
    """Have each of these people told; each is a job of its own, so that one address that is wrong holds up nobody.

    Args:
        about: names what the mails tell; of the same mail to the same person there is one.
    """
    for address in to:
        request_mail(session, tokens, tenant_id, about, address, subject, text)


def request_mail(
    session: Session,
    tokens: Tokens,
    tenant_id: UUID,
    about: str,
    to: str,
    subject: str,
    text: str,
    attachment: Attachment | None = None,
    imap_user_id: UUID | None = None,
) -> None:
    """Have one person told; arguments as `request_mails` and `Mail`."""
    mail = Mail(to=to, subject=subject, text=text, attachment=attachment, imap_user_id=imap_user_id)
    payload = mail.model_dump(mode="json", exclude_none=True)
    request_job(session, tokens, tenant_id=tenant_id, kind=SEND_MAIL, key=f"{about} {to}", payload=payload)
