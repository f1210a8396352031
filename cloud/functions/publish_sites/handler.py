"""publish_sites: takes `publish_site` jobs of the outbox from a queue."""

from functools import cache
from typing import Any
from uuid import UUID

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from pydantic import ValidationError

from cloud.clock import Clock, SystemClock
from cloud.errors import CloudError
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.records import Event, JobBody
from cloud.functions.settings import FunctionSettings
from cloud.pbx.database import Database
from cloud.pbx.errors import NotFound
from cloud.pbx.outbox import fail_job, finish_job, is_claimed
from cloud.pbx.publishing import publish_site
from cloud.tokens import SystemTokens, Tokens


def compose(database: Database, clock: Clock, tokens: Tokens) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    Publishing twice is harmless (nothing changed, no new version), so it needs no idempotency record.
    """
    instruments = Instruments("publish_sites")

    def work(body: str, context: Any) -> None:
        job = JobBody.model_validate_json(body).claimed()
        with database.session(job.scope) as session:
            if not is_claimed(session, job):
                return
        error = ""
        try:
            published = publish_site(database, job.scope, UUID(job.payload["site_id"]), job.payload["cause"])
            if published.refused:
                instruments.logger.warning("site_refused", site_id=job.key, problems=published.refused)
            instruments.logger.info("site_published", site_id=job.key, version=published.version, new=published.new)
        except NotFound:
            instruments.logger.info("site_gone", site_id=job.key)
        except (CloudError, ValidationError) as problem:
            error = f"{type(problem).__name__}: {problem}"
            instruments.logger.exception("site_not_published", site_id=job.key)
        with database.session(job.scope) as session:
            if error:
                fail_job(session, job, clock.now(), error, tokens.fraction())
            else:
                finish_job(session, job, clock.now())

    return batch_handler(instruments, work)


@cache
def _composed() -> Handler:
    settings = FunctionSettings.from_environment()
    clock = SystemClock()
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    return compose(database, clock, SystemTokens(clock))


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
