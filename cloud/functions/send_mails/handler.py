"""send_mails: takes `send_mail` jobs of the outbox from a queue."""

from functools import cache
from typing import Any, Final
from uuid import UUID

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from pydantic import ValidationError

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.records import Event, JobBody
from cloud.functions.send_mails.sending import Mailer, MailNotSent
from cloud.functions.send_mails.settings import MailSettings
from cloud.functions.send_mails.storing import ImapStore
from cloud.functions.send_mails.writing import written
from cloud.objects import ObjectsError, ObjectStore
from cloud.pbx.database import Database
from cloud.pbx.mails import RETRY_SECONDS, Attachment, Mail
from cloud.pbx.messages import delete_mailed
from cloud.pbx.outbox import ClaimedJob, fail_job, finish_job, is_claimed
from cloud.pbx.secrets import SecretUnreadable
from cloud.pbx.voicemail_imap import imap_log_in, imap_tried
from cloud.tokens import SystemTokens, Tokens

WAITED_FOR: Final = 5
"""How often a mail is put off for a recording that has not come: about six minutes; then it goes without."""


def compose(
    database: Database,
    clock: Clock,
    tokens: Tokens,
    mailer: Mailer,
    objects: ObjectStore | None = None,
    imap: ImapStore | None = None,
) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    A mail that was sent and whose job could not be finished is sent again, with the same Message-ID.
    """
    instruments = Instruments("send_mails")

    def _content(job: ClaimedJob, mail: Mail) -> bytes | None:
        """What is to be attached.

        Raises:
            MailNotSent: it has not come yet, and is worth waiting for.
        """
        if mail.attachment is None or objects is None:
            return None
        try:
            return b"".join(objects.read(job.tenant_id, mail.attachment.digest))
        except (ObjectsError, OSError):
            if job.attempt <= WAITED_FOR:
                raise MailNotSent("its recording has not come yet") from None
            return None

    def _hand_over(job: ClaimedJob, mail: Mail, content: bytes | None) -> bool:
        """Send it, or put it where its user wants it by now; False: nowhere, he wants none any more.

        Raises:
            MailNotSent: it was not taken.
        """
        if mail.imap_user_id is None:
            mailer.send(mail, str(job.job_id), content)
        elif imap is not None:
            with database.session(job.scope) as session:
                try:
                    to = imap_log_in(session, imap.keys, mail.imap_user_id)
                except SecretUnreadable:
                    raise MailNotSent("the password cannot be opened: give it again") from None
            if to is None:
                return False
            imap.store(to, written(mail, str(job.job_id), content, imap.sender, imap.portal_url))
        else:
            raise MailNotSent("messages are put into no IMAP mailboxes here")
        return True

    def work(body: str, context: Any) -> None:
        job = JobBody.model_validate_json(body).claimed()
        with database.session(job.scope) as session:
            if not is_claimed(session, job):
                return
        problem, schedule = "", tuple[float, ...](RETRY_SECONDS)
        attached: Attachment | None = None
        imap_user_id: UUID | None = None
        try:
            mail = Mail.model_validate(job.payload)
            content = _content(job, mail)
            imap_user_id = mail.imap_user_id
            if _hand_over(job, mail, content) and content is not None:
                attached = mail.attachment
        except MailNotSent as refused:
            problem, schedule = str(refused), () if refused.final else RETRY_SECONDS
        except ValidationError as error:
            problem, schedule = f"the job is no mail: {error.error_count()} problems", ()
        with database.session(job.scope) as session:
            if not is_claimed(session, job):
                return
            if imap_user_id is not None:
                imap_tried(session, imap_user_id, problem, clock.now())
            if not problem:
                finish_job(session, job, clock.now())
                if attached is not None and attached.delete_after:
                    delete_mailed(session, tokens, attached.message_id, clock.now())
            else:
                fail_job(session, job, clock.now(), problem, tokens.fraction(), schedule)
        if problem:
            instruments.logger.warning("mail_not_sent", job_id=str(job.job_id), problem=problem)
        else:
            instruments.logger.info("mail_sent", job_id=str(job.job_id))

    return batch_handler(instruments, work)


@cache
def _composed() -> Handler:
    settings = MailSettings.from_environment()
    clock = SystemClock()
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    tokens = SystemTokens(clock)
    return compose(database, clock, tokens, settings.mailer(), settings.objects(tokens), settings.imap(tokens))


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
