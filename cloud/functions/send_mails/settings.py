"""What sending mails needs to know from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from cloud.functions.send_mails.sending import Security, SmtpMailer
from cloud.functions.send_mails.storing import ImapStore
from cloud.functions.settings import SecretsSettings
from cloud.objects import FolderStore, ObjectStore, S3Store, s3_client
from cloud.tokens import Tokens


class MailSettings(SecretsSettings):
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
    portal_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = "http://localhost:8080"
    """Where people reach the portal: what links in mails begin with."""
    objects_bucket: str = ""
    """The S3 bucket that recordings lie in."""
    objects_folder: str = ""
    """The folder that they lie in on one machine; with neither, mails go without them."""
    mail_from: str = "tandem@localhost"
    """The address that mails come from."""

    imap_allow_private: bool = False
    """Reach IMAP servers at private and loopback addresses too: for those in the cloud's own network."""
    imap_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 30.0
    """For the whole of one message that is put into an IMAP mailbox."""

    def imap(self, tokens: Tokens) -> ImapStore | None:
        """What puts messages into IMAP mailboxes; None: nothing opens their passwords here."""
        if not self.kms_key_arn and not self.key_file:
            return None
        return ImapStore(
            self.key_service(tokens),
            self.mail_from,
            self.portal_url,
            private_allowed=self.imap_allow_private,
            timeout_seconds=self.imap_timeout_seconds,
        )

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
            self.portal_url,
        )

    def objects(self, tokens: Tokens) -> ObjectStore | None:
        """Where recordings are; None: nowhere."""
        if self.objects_bucket:
            return S3Store(self.objects_bucket, s3_client())
        return FolderStore(Path(self.objects_folder), tokens) if self.objects_folder else None
