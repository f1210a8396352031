"""relay_jobs: woken every minute, works for nearly that long: a saved change reaches its queue at once.

It claims jobs that are due and sends them on. What is claimed and never done (a lost message, a function that died)
is claimed again when the claim ends; the older message then finds that its claim is over and does nothing.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

from aws_lambda_powertools.metrics import MetricUnit

from cloud.clock import Clock, SystemClock
from cloud.errors import CloudError
from cloud.functions.batch import Instruments
from cloud.functions.records import MAX_RECORDS, Event, claim_records
from cloud.functions.settings import RelaySettings
from cloud.pbx.database import JOBS_CHANNEL, Database
from cloud.pbx.publishing import PUBLISH_SITE
from cloud.pbx.webhooks import DELIVER_WEBHOOK

CLAIM_SECONDS: Final = 900
"""Longer than a message usually waits in its queue and is worked on."""
RESERVE_MS: Final = 5_000
"""How much of the invocation's time is left unused, for what was begun to end."""
_WAIT_SECONDS: Final = 1.0


class Queues(Protocol):
    """Where messages are put."""

    def send(self, queue_url: str, bodies: Sequence[str]) -> None:
        """Put at most `MAX_RECORDS` messages on a queue; an exception means that some are not there."""
        ...


class NotSent(CloudError):
    """The queue did not take every message."""


class SqsQueues:
    """Amazon SQS.

    Args:
        client: boto3's SQS client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, queue_url: str, bodies: Sequence[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self._client.send_message_batch(QueueUrl=queue_url, Entries=entries)
        if answer.get("Failed"):
            raise NotSent(NotSent.__doc__)


class Relay:
    """Carries jobs to queues.

    Args:
        queues: where messages are put.
        urls: kind of job → the URL of its queue.
    """

    def __init__(self, database: Database, queues: Queues, clock: Clock, urls: Mapping[str, str]) -> None:
        self._database = database
        self._queues = queues
        self._clock = clock
        self._urls = dict(urls)

    def once(self) -> int:
        """Carry what is due now, at most `MAX_RECORDS` of each kind; how many there were."""
        count = 0
        for kind, url in self._urls.items():
            bodies = claim_records(self._database, [kind], self._clock.now(), MAX_RECORDS, CLAIM_SECONDS)
            if bodies:
                self._queues.send(url, bodies)
            count += len(bodies)
        return count

    def work(self, context: Any) -> int:
        """Carry whatever becomes due until the invocation's time is nearly over; how many jobs there were."""
        count = 0
        with self._database.listen(JOBS_CHANNEL) as connection:
            while True:
                carried = self.once()
                count += carried
                if context.get_remaining_time_in_millis() < RESERVE_MS:
                    return count
                if not carried:
                    for _ in connection.notifies(timeout=_WAIT_SECONDS, stop_after=1):
                        pass


@cache
def _composed() -> tuple[Relay, Instruments]:
    import boto3

    settings = RelaySettings.from_environment()
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    urls = {
        PUBLISH_SITE: settings.publish_sites_queue_url,
        DELIVER_WEBHOOK: settings.deliver_webhooks_queue_url,
    }
    return Relay(database, SqsQueues(boto3.client("sqs")), SystemClock(), urls), Instruments("relay_jobs")


def handler(event: Event, context: Any) -> dict[str, int]:
    """The Lambda entry point, woken by EventBridge."""
    relay, instruments = _composed()
    count = relay.work(context)
    instruments.metrics.add_metric(name="JobsRelayed", unit=MetricUnit.Count, value=count)
    instruments.metrics.flush_metrics()
    instruments.logger.info("jobs_relayed", count=count)
    return {"relayed": count}
