"""relay_jobs: woken every minute, works for a little longer: what is saved reaches its queue at once.

It claims jobs that are due and puts them on queues, and says which edges have something to be taken in. A job is
finished by the function that does it. What is claimed and never done (a lost message, a function that died) is
claimed again when the claim ends; the older message then finds that its claim is over and does nothing.

It looks, and does not listen: a connection that waits for notifications would keep one of the proxy's for itself.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from aws_lambda_powertools.metrics import MetricUnit

from cloud.clock import Clock, SystemClock
from cloud.functions.batch import Instruments
from cloud.functions.records import MAX_RECORDS, Event, JobBody, claim_records, inbox_records
from cloud.functions.settings import RelaySettings
from cloud.pbx.database import PLATFORM, Database
from cloud.pbx.mails import SEND_MAIL
from cloud.pbx.outbox import forget_finished, return_job
from cloud.pbx.publishing import PUBLISH_SITE
from cloud.pbx.redirect_requests import CHECK_REDIRECT, PUSH_REDIRECT, SYNC_REDIRECTS
from cloud.pbx.sip_certificates import RENEW_CERTIFICATE
from cloud.pbx.webhooks import DELIVER_WEBHOOK

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CLAIM_SECONDS: Final = 900
"""Longer than a message usually waits in its queue and is worked on."""
RESERVE_MS: Final = 5_000
"""How much of the invocation's time is left unused, for what was begun to end."""
PAUSE_SECONDS: Final = 0.25
"""Between looks that find nothing."""
RETURN_SECONDS: Final = 5.0
"""After how long a job that no queue took is due again."""
REMIND_SECONDS: Final = 15.0
"""After how long an edge is named again whose events still wait."""
MAX_EDGES: Final = 100
"""How many edges are named at one look."""


class Queues(Protocol):
    """Where messages are put."""

    def send(self, queue_url: str, bodies: Sequence[str]) -> list[str]:
        """Put at most `MAX_RECORDS` messages on a queue; those that are perhaps not there."""
        ...


class SqsQueues:
    """Amazon SQS.

    Args:
        on_failure: told, for the log, why messages were not taken.
    """

    def __init__(self, client: "SQSClient", on_failure: Callable[[str], None] = lambda _: None) -> None:
        self._client = client
        self._on_failure = on_failure

    def send(self, queue_url: str, bodies: Sequence[str]) -> list[str]:
        """Put messages on a queue; those that it did not confirm."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.send_message_batch(
                QueueUrl=queue_url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
            )
        except (BotoCoreError, ClientError) as problem:
            self._on_failure(type(problem).__name__)
            return list(bodies)
        for failed in answer.get("Failed", []):
            self._on_failure(failed["Code"])
        confirmed = {entry["Id"] for entry in answer.get("Successful", [])}
        return [body for number, body in enumerate(bodies) if str(number) not in confirmed]


class Relay:
    """Carries work to queues.

    Args:
        queues: where messages are put.
        urls: kind of job → the URL of its queue.
        events_url: the queue of ingest_events.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        database: Database,
        queues: Queues,
        clock: Clock,
        urls: Mapping[str, str],
        events_url: str,
        pause: Callable[[float], object],
    ) -> None:
        self._database = database
        self._queues = queues
        self._clock = clock
        self._urls = dict(urls)
        self._events_url = events_url
        self._pause = pause
        self._named: dict[str, float] = {}
        self.carried = 0
        """How many messages queues took."""
        self.refused = 0
        """How many they did not take."""

    def once(self) -> int:
        """Carry what is due now, at most `MAX_RECORDS` jobs of each kind; how many messages queues took."""
        before = self.carried
        for kind, url in self._urls.items():
            bodies = claim_records(self._database, [kind], self._clock.now(), MAX_RECORDS, CLAIM_SECONDS)
            for body in self._send(url, bodies):
                self._return(JobBody.model_validate_json(body), self._clock.now())
        self._name_edges()
        return self.carried - before

    def _send(self, url: str, bodies: Sequence[str]) -> list[str]:
        refused = self._queues.send(url, bodies) if bodies else []
        self.carried += len(bodies) - len(refused)
        self.refused += len(refused)
        return refused

    def _return(self, body: JobBody, now: datetime) -> None:
        job = body.claimed()
        with self._database.session(job.scope) as session:
            return_job(session, job, now + timedelta(seconds=RETURN_SECONDS), "no queue took it")

    def _name_edges(self) -> None:
        """Tell ingest_events which edges have events, came or went; each again only after a while."""
        now = self._clock.monotonic()
        self._named = {body: at for body, at in self._named.items() if now - at < REMIND_SECONDS}
        waiting = inbox_records(self._database, self._clock.now(), MAX_EDGES)
        fresh = [body for body in waiting if body not in self._named]
        for start in range(0, len(fresh), MAX_RECORDS):
            bodies = fresh[start : start + MAX_RECORDS]
            refused = set(self._send(self._events_url, bodies))
            self._named |= {body: now for body in bodies if body not in refused}

    def work(self, context: Any) -> None:
        """Carry whatever becomes due until the invocation's time is nearly over."""
        with self._database.session(PLATFORM) as session:
            forget_finished(session, self._clock.now())
        while True:
            carried = self.once()
            if context.get_remaining_time_in_millis() < RESERVE_MS:
                return
            if not carried:
                self._pause(PAUSE_SECONDS)


def compose(relay: Relay, instruments: Instruments) -> Callable[[Event, Any], dict[str, int]]:
    """The handler on a given relay."""

    def handle(event: Event, context: Any) -> dict[str, int]:
        carried, refused = relay.carried, relay.refused
        relay.work(context)
        counted = {"carried": relay.carried - carried, "refused": relay.refused - refused}
        instruments.metrics.add_metric(name="MessagesCarried", unit=MetricUnit.Count, value=counted["carried"])
        instruments.metrics.add_metric(name="MessagesRefused", unit=MetricUnit.Count, value=counted["refused"])
        instruments.logger.info("work_carried", carried=counted["carried"], refused=counted["refused"])
        return counted

    logged: Callable[[Event, Any], dict[str, int]] = instruments.logger.inject_lambda_context(handle)
    metered: Callable[[Event, Any], dict[str, int]] = instruments.metrics.log_metrics(logged)
    return metered


@cache
def _composed() -> Callable[[Event, Any], dict[str, int]]:
    import boto3

    settings = RelaySettings.from_environment()
    instruments = Instruments("relay_jobs")
    relay = Relay(
        Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size),
        SqsQueues(boto3.client("sqs"), lambda why: instruments.logger.error("messages_refused", error=why)),
        SystemClock(),
        {
            PUBLISH_SITE: settings.publish_sites_queue_url,
            DELIVER_WEBHOOK: settings.deliver_webhooks_queue_url,
            RENEW_CERTIFICATE: settings.renew_certificates_queue_url,
            SEND_MAIL: settings.send_mails_queue_url,
            **dict.fromkeys((SYNC_REDIRECTS, PUSH_REDIRECT, CHECK_REDIRECT), settings.push_redirects_queue_url),
        },
        settings.ingest_events_queue_url,
        threading.Event().wait,
    )
    return compose(relay, instruments)


def handler(event: Event, context: Any) -> dict[str, int]:
    """The Lambda entry point, woken by EventBridge."""
    return _composed()(event, context)
