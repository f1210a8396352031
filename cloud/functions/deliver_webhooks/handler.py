"""deliver_webhooks: takes `webhook` jobs of the outbox from a queue."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.deliver_webhooks.sending import HttpSender, Sender
from cloud.functions.idempotency import PostgresPersistence
from cloud.functions.records import Event, JobBody
from cloud.functions.settings import DeliverySettings
from cloud.pbx.database import Database
from cloud.pbx.secrets import KeyService
from cloud.pbx.webhooks import RETRY_SECONDS, begin_attempt, end_attempt
from cloud.tokens import SystemTokens, Tokens

_REMEMBER_SECONDS = 24 * 3600


def compose(
    database: Database,
    keys: KeyService,
    clock: Clock,
    tokens: Tokens,
    sender: Sender,
    schedule: Sequence[float] = RETRY_SECONDS,
) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    A copy of a message (SQS delivers at least once) finds the idempotency record of its job and attempt, and sends
    nothing again.
    """
    instruments = Instruments("deliver_webhooks")

    def deliver(attempt: dict[str, Any]) -> dict[str, Any]:
        job = JobBody.model_validate_json(attempt["body"]).claimed()
        with database.session(job.scope) as session:
            outgoing = begin_attempt(session, keys, job, clock.now())
        if outgoing is None:
            return {"status": None}
        outcome = sender.send(outgoing)
        with database.session(job.scope) as session:
            end_attempt(session, job, outcome, clock.now(), tokens.fraction(), schedule)
        instruments.logger.info(
            "webhook_attempted",
            delivery_id=job.key,
            attempt=job.attempt,
            status=outcome.status,
            delivered=outcome.delivered,
        )
        return {"status": outcome.status}

    def work(body: str, context: Any) -> None:
        config = IdempotencyConfig(event_key_jmespath="key", expires_after_seconds=_REMEMBER_SECONDS)
        config.register_lambda_context(context)
        once = idempotent_function(
            deliver,
            data_keyword_argument="attempt",
            persistence_store=PostgresPersistence(database, clock),
            config=config,
            key_prefix="deliver_webhooks",
        )
        job = JobBody.model_validate_json(body)
        once(attempt={"key": f"{job.job_id}:{job.attempt}", "body": body})

    return batch_handler(instruments, work)


@cache
def _composed() -> Handler:
    settings = DeliverySettings.from_environment()
    clock = SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    sender = HttpSender(
        clock,
        private_allowed=settings.webhook_allow_private,
        timeout_seconds=settings.webhook_timeout_seconds,
    )
    return compose(database, settings.key_service(tokens), clock, tokens, sender, settings.webhook_retry_seconds)


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
