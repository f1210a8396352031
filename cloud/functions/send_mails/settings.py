"""What sending mails needs to know from the environment."""

from typing import Annotated

from pydantic import Field, SecretStr

from cloud.functions.send_mails.sending import Security, SmtpMailer
from cloud.functions.settings import FunctionSettings


class MailSettings(FunctionSettings):
    """What sending mails needs besides."""

    smtp_host: str = ""
    """The mail server; empty: there is none, and mails wait for one as long as they are tried again."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Where it listens."""
    smtp_security: Security = "starttls"
    """`tls` from the first byte (usually port 465), `starttls`, or `none`."""
    smtp_username: str = ""
    """The account there; empty: the server asks for none."""
    smtp_password: SecretStr = SecretStr("")
    """Of that account."""
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 15.0
    """For each answer of the server."""
    mail_from: str = "tandem@localhost"
    """The address that mails come from."""

    def mailer(self) -> SmtpMailer:
        """What sends."""
        return SmtpMailer(
            self.smtp_host,
            self.smtp_port,
            self.smtp_security,
            self.mail_from,
            self.smtp_username,
            self.smtp_password,
            self.smtp_timeout_seconds,
        )
