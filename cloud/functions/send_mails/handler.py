"""send_mails: takes `send_mail` jobs of the outbox from a queue."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from pydantic import ValidationError

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.records import Event, JobBody
from cloud.functions.send_mails.sending import Mailer, MailNotSent
from cloud.functions.send_mails.settings import MailSettings
from cloud.pbx.database import Database
from cloud.pbx.mails import RETRY_SECONDS, Mail
from cloud.pbx.outbox import fail_job, finish_job, is_claimed
from cloud.tokens import SystemTokens, Tokens


def compose(database: Database, clock: Clock, tokens: Tokens, mailer: Mailer) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    A mail that was sent and whose job could not be finished is sent again, with the same Message-ID.
    """
    instruments = Instruments("send_mails")

    def work(body: str, context: Any) -> None:
        job = JobBody.model_validate_json(body).claimed()
        with database.session(job.scope) as session:
            if not is_claimed(session, job):
                return
        problem, schedule = "", tuple[float, ...](RETRY_SECONDS)
        try:
            mailer.send(Mail.model_validate(job.payload), str(job.job_id))
        except MailNotSent as refused:
            problem, schedule = str(refused), () if refused.final else RETRY_SECONDS
        except ValidationError as error:
            problem, schedule = f"the job is no mail: {error.error_count()} problems", ()
        with database.session(job.scope) as session:
            if not is_claimed(session, job):
                return
            if not problem:
                finish_job(session, job, clock.now())
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
    return compose(database, clock, SystemTokens(clock), settings.mailer())


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
