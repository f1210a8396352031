"""push_redirects: takes `sync_redirects`, `push_redirect` and `check_redirect` jobs of the outbox from a queue."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from cloud.clock import Clock, SystemClock
from cloud.errors import CloudError
from cloud.functions.batch import Handler, Instruments, batch_handler
from cloud.functions.outgoing import GuardedClient
from cloud.functions.push_redirects.gdms import GrandstreamGdms
from cloud.functions.push_redirects.newer import HawkRest, YealinkYmcs
from cloud.functions.push_redirects.older import FanvilFdps, GigasetRedirect, SnomRedirect, YealinkRps
from cloud.functions.push_redirects.service import Line, Refusal, Service
from cloud.functions.push_redirects.xml_rpc import MAX_ANSWER_BYTES
from cloud.functions.records import Event, JobBody
from cloud.functions.settings import RedirectSettings
from cloud.pbx.database import Database
from cloud.pbx.outbox import ClaimedJob, fail_job, finish_job, is_claimed
from cloud.pbx.redirect_requests import CHECK_REDIRECT, PUSH_REDIRECT, SYNC_REDIRECTS
from cloud.pbx.redirects import (
    RETRY_SECONDS,
    Answer,
    LogIn,
    begin_check,
    begin_push,
    end_check,
    end_push,
    sync_redirects,
)
from cloud.pbx.secrets import KeyService
from cloud.tokens import SystemTokens, Tokens
from contract.devices import Catalogue, load_catalogue

KINDS: Final = (SYNC_REDIRECTS, PUSH_REDIRECT, CHECK_REDIRECT)
_SERVICES: Final[Mapping[str, Callable[[Line], Service]]] = {
    "yealink_rps": YealinkRps,
    "yealink_ymcs": YealinkYmcs,
    "snom_sraps": lambda line: HawkRest(line, "setting_server"),
    "snom_redirect": SnomRedirect,
    "gigaset_grape": lambda line: HawkRest(line, "ProvisioningServer"),
    "gigaset_redirect": GigasetRedirect,
    "fanvil_fdps": FanvilFdps,
    "grandstream_gdms": GrandstreamGdms,
}


def new_client(*, private_allowed: bool, timeout_seconds: float) -> GuardedClient:
    """What speaks to the services."""
    return GuardedClient(private_allowed=private_allowed, timeout_seconds=timeout_seconds, max_bytes=MAX_ANSWER_BYTES)


def compose(
    database: Database,
    keys: KeyService,
    clock: Clock,
    tokens: Tokens,
    client: GuardedClient,
    catalogue: Catalogue,
    schedule: Sequence[float] = RETRY_SECONDS,
) -> Handler:
    """The handler on given parts: what the local loop and tests call.

    Telling a service twice is harmless (the second replaces the first), so it needs no idempotency record.
    """
    instruments = Instruments("push_redirects")

    def ask(log_in: LogIn, what: Callable[[Service], None], serial: str = "") -> Answer:
        try:
            what(_SERVICES[log_in.service](Line(client, clock, tokens, log_in, serial)))
        except Refusal as refusal:
            return refusal.answer()
        return Answer()

    def sync(job: ClaimedJob) -> None:
        with database.session(job.scope) as session:
            if is_claimed(session, job):
                count = sync_redirects(session, catalogue, tokens, job.tenant_id, clock.now())
                finish_job(session, job, clock.now())
                instruments.logger.info("redirects_compared", tenant_id=job.key, pushes=count)

    def push(job: ClaimedJob) -> None:
        with database.session(job.scope) as session:
            wanted = begin_push(session, keys, job, clock.now())
        if wanted is None:
            return

        def tell(service: Service) -> None:
            if wanted.url:
                service.push(wanted.mac, wanted.url)
            else:
                service.withdraw(wanted.mac)

        answer = ask(wanted.log_in, tell, wanted.serial)
        with database.session(job.scope) as session:
            end_push(session, job, wanted, answer, clock.now(), tokens.fraction(), schedule)
        instruments.logger.info("redirect_pushed", redirect_id=job.key, problem=answer.problem)

    def check(job: ClaimedJob) -> None:
        with database.session(job.scope) as session:
            log_in = begin_check(session, keys, job, clock.now())
        if log_in is None:
            return
        answer = ask(log_in, lambda service: service.check())
        with database.session(job.scope) as session:
            end_check(session, job, answer, clock.now())
        instruments.logger.info("redirect_account_checked", account_id=job.key, problem=answer.problem)

    work_of = {SYNC_REDIRECTS: sync, PUSH_REDIRECT: push, CHECK_REDIRECT: check}

    def work(body: str, context: Any) -> None:
        job = JobBody.model_validate_json(body).claimed()
        try:
            work_of[job.kind](job)
        except CloudError as problem:
            instruments.logger.exception("redirects_not_pushed", kind=job.kind, key=job.key)
            with database.session(job.scope) as session:
                if is_claimed(session, job):
                    fail_job(session, job, clock.now(), f"{type(problem).__name__}", tokens.fraction())

    return batch_handler(instruments, work)


@cache
def _composed() -> Handler:
    settings = RedirectSettings.from_environment()
    clock = SystemClock()
    tokens = SystemTokens(clock)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    client = new_client(
        private_allowed=settings.redirect_allow_private, timeout_seconds=settings.redirect_timeout_seconds
    )
    return compose(database, settings.key_service(tokens), clock, tokens, client, load_catalogue())


def handler(event: Event, context: Any) -> PartialItemFailureResponse:
    """The Lambda entry point."""
    return _composed()(event, context)
