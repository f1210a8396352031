"""One mail to a mail server (RFC 5321), by smtplib."""

import smtplib
import ssl
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import SecretStr

from cloud.errors import CloudError
from cloud.functions.send_mails.writing import written
from cloud.pbx.mails import Mail

Security = Literal["tls", "starttls", "none"]


class MailNotSent(CloudError):
    """The mail server did not take a mail.

    Args:
        reason: why, without the mail's content.
        final: whether it would not take it later either.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Mailer(Protocol):
    """Sends mails."""

    def send(self, mail: Mail, message_id: str, content: bytes | None = None) -> None:
        """Hand it to the server; `message_id` is the same each time it is tried.

        Args:
            content: of the mail's attachment; None: it goes without.

        Raises:
            MailNotSent: it did not take it.
        """
        ...


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Sends by SMTP.

    Args:
        host: of the mail server; empty: there is none, and every mail waits for one.
        port: of it.
        security: `tls` from the first byte, `starttls`, or `none` for a server on the same machine.
        sender: address that mails come from.
        username: empty: the server asks for none.
        password: of that account.
        timeout_seconds: for each answer of the server.
        portal_url: where the portal is, for links.
    """

    host: str
    port: int
    security: Security
    sender: str
    username: str
    password: SecretStr
    timeout_seconds: float
    portal_url: str = ""

    def send(self, mail: Mail, message_id: str, content: bytes | None = None) -> None:
        """See `Mailer`."""
        if not self.host:
            raise MailNotSent("no mail server is configured: TANDEM_SMTP_HOST is empty")
        message = written(mail, message_id, content, self.sender, self.portal_url)
        try:
            with self._connected() as server:
                if self.username:
                    server.login(self.username, self.password.get_secret_value())
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            (code, _), *_ = error.recipients.values()
            raise MailNotSent(f"the server refuses the recipient with {code}", final=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise MailNotSent(f"the server answers {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotSent(f"the server is not reached: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_seconds, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)
        if self.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server
