"""renew_certificates: takes `renew_certificate` jobs of the outbox from a queue."""

from functools import cache
from typing import Any, Final
from uuid import UUID

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from cloud.clock import Clock, SystemClock
from cloud.errors import CloudError
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.records import Event, JobBody
from cloud.functions.settings import SecretsSettings
from cloud.pbx.audit import Actor
from cloud.pbx.database import Database
from cloud.pbx.desk import Desk
from cloud.pbx.outbox import fail_job, finish_job, is_claimed
from cloud.pbx.secrets import KeyService
from cloud.pbx.sip_certificates import renew_certificate
from cloud.tokens import SystemTokens, Tokens

RETRY_SECONDS: Final = (60.0, 3_600.0, *[86_400.0] * 42)
"""Pauses after failures, each day as long as the old certificate is valid."""


def compose(database: Database, keys: KeyService, clock: Clock, tokens: Tokens) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    The new certificate and the end of its job are one transaction, so it needs no idempotency record.
    """
    instruments = Instruments("renew_certificates")

    def work(body: str, context: Any) -> None:
        job = JobBody.model_validate_json(body).claimed()
        try:
            with database.session(job.scope) as session:
                if not is_claimed(session, job):
                    return
                desk = Desk(session, Actor("renew_certificates"), clock, tokens, keys)
                ends = renew_certificate(desk, UUID(job.payload["site_id"]))
                finish_job(session, job, clock.now())
            instruments.logger.info("certificate_renewed", site_id=job.key, ends=ends.isoformat() if ends else "")
        except CloudError as problem:
            instruments.logger.exception("certificate_not_renewed", site_id=job.key)
            with database.session(job.scope) as session:
                if is_claimed(session, job):
                    fail_job(session, job, clock.now(), type(problem).__name__, tokens.fraction(), RETRY_SECONDS)

    return batch_handler(instruments, work)


@cache
def _composed() -> Handler:
    settings = SecretsSettings.from_environment()
    clock = SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    return compose(database, settings.key_service(tokens), clock, tokens)


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
