"""Mails that tell people what cannot wait: written as jobs in the transaction of what they tell."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from cloud.pbx.outbox import request_job
from cloud.tokens import Tokens
from contract.snapshot.emergency import MailAddress

SEND_MAIL: Final = "send_mail"
RETRY_SECONDS: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0)
"""Pauses after each failure: what is told is soon old, but better late than never."""


class Mail(BaseModel):
    """One mail to one person.

    Args:
        to: whom.
        subject: one line.
        text: plain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: MailAddress
    subject: Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
    text: Annotated[str, Field(max_length=20_000)]


def request_mails(
    session: Session, tokens: Tokens, tenant_id: UUID, about: str, to: Sequence[str], subject: str, text: str
) -> None:
    """Have each of these people told; each is a job of its own, so that one address that is wrong holds up nobody.

    Args:
        about: names what the mails tell; of the same mail to the same person there is one.
    """
    for address in to:
        mail = Mail(to=address, subject=subject, text=text)
        request_job(
            session,
            tokens,
            tenant_id=tenant_id,
            kind=SEND_MAIL,
            key=f"{about} {address}",
            payload=mail.model_dump(mode="json"),
        )
