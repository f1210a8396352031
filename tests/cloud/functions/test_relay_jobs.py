"""Due jobs and waiting events reach the queue of the function that does them, in AWS."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.stub import Stubber

from cloud.functions.batch import Instruments
from cloud.functions.records import LambdaContext, sqs_event
from cloud.functions.relay_jobs import handler as relay_jobs
from cloud.functions.relay_jobs.handler import CLAIM_SECONDS, REMIND_SECONDS, RETURN_SECONDS, Relay, SqsQueues
from cloud.models import Job
from cloud.pbx.inbox import keep_events
from cloud.pbx.publishing import PUBLISH_SITE, newest_version, request_publish
from cloud.pbx.webhooks import DELIVER_WEBHOOK
from contract.sync.events import EventBody, UnknownPhoneSeen
from contract.sync.messages import Event
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock
from tests.support.postgres import Databases

URLS = {PUBLISH_SITE: "queue/publish", DELIVER_WEBHOOK: "queue/deliver"}
SQS_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/publish-sites"


@dataclass
class Kept:
    """Queues that keep what they are given, or refuse it."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    refusing: bool = False

    def send(self, queue_url: str, bodies: Sequence[str]) -> list[str]:
        assert 0 < len(bodies) <= 10
        if self.refusing:
            return list(bodies)
        self.messages.extend((queue_url, body) for body in bodies)
        return []

    def of(self, customer: Customer) -> list[tuple[str, str]]:
        """What concerns one customer: other tests' customers are in the same database."""
        return [(url, body) for url, body in self.messages if json.loads(body)["tenant_id"] == str(customer.tenant_id)]


@dataclass
class Countdown:
    """An invocation whose time runs out after so many looks at the clock."""

    looks: int
    function_name: str = "relay_jobs"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:relay-jobs"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks > 0 else 0


@pytest.fixture
def queues() -> Kept:
    return Kept()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def relay(databases: Databases, queues: Kept, clock: HandClock, pauses: list[float]) -> Relay:
    return Relay(databases.worker, queues, clock, URLS, "queue/ingest", pauses.append)


def save(databases: Databases, customer: Customer) -> None:
    with databases.api.session(customer.scope) as session:
        request_publish(session, TOKENS, customer.site_id, "test")


def is_published(databases: Databases, customer: Customer) -> bool:
    with databases.hub.session(customer.scope) as session:
        return newest_version(session, customer.site_id) is not None


def test_a_saved_change_reaches_its_queue_once_and_can_be_worked_on_there(
    databases: Databases, functions: Functions, customer: Customer, relay: Relay, queues: Kept, pauses: list[float]
) -> None:
    save(databases, customer)
    relay.work(Countdown(3))
    ((url, body),) = queues.of(customer)
    assert url == "queue/publish"
    assert pauses
    functions.publisher(sqs_event("publish_sites", [body]), functions.context("publish_sites"))
    assert is_published(databases, customer)
    with databases.worker.session(customer.scope) as session:
        assert session.get_one(Job, json.loads(body)["job_id"]).state == "done"


def test_what_no_queue_took_is_due_again_soon_and_the_attempt_does_not_count(
    databases: Databases, customer: Customer, clock: HandClock, relay: Relay, queues: Kept
) -> None:
    queues.refusing = True
    save(databases, customer)
    assert relay.once() == 0
    assert relay.refused >= 1
    queues.refusing = False
    relay.once()
    assert queues.of(customer) == []
    clock.advance(RETURN_SECONDS)
    relay.once()
    ((_, body),) = queues.of(customer)
    assert json.loads(body)["attempt"] == 1


def test_what_a_queue_lost_is_sent_again_when_its_claim_ends(
    databases: Databases, customer: Customer, clock: HandClock, relay: Relay, queues: Kept
) -> None:
    save(databases, customer)
    relay.once()
    clock.advance(CLAIM_SECONDS - 1)
    relay.once()
    assert len(queues.of(customer)) == 1
    clock.advance(2)
    relay.once()
    assert len(queues.of(customer)) == 2


def test_a_message_whose_claim_is_over_does_nothing(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock, relay: Relay, queues: Kept
) -> None:
    save(databases, customer)
    relay.once()
    clock.advance(CLAIM_SECONDS + 1)
    relay.once()
    (_, older), (_, newer) = queues.of(customer)
    functions.publisher(sqs_event("publish_sites", [older]), functions.context("publish_sites"))
    assert not is_published(databases, customer)
    functions.publisher(sqs_event("publish_sites", [newer]), functions.context("publish_sites"))
    assert is_published(databases, customer)


def test_two_relays_at_once_carry_each_job_once(
    databases: Databases, customer: Customer, clock: HandClock, relay: Relay, queues: Kept
) -> None:
    save(databases, customer)
    Relay(databases.worker, queues, clock, URLS, "queue/ingest", lambda _: None).once()
    relay.once()
    assert len(queues.of(customer)) == 1


def test_waiting_events_are_named_once_until_taken_in_and_again_when_nobody_did(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    edge: EdgeAtSite,
    clock: HandClock,
    relay: Relay,
    queues: Kept,
) -> None:
    seen = UnknownPhoneSeen(mac="001565010203", address="192.0.2.9", user_agent="a phone", protocol="tftp")
    event = Event(epoch="e1", sequence=1, body=EventBody(at=clock.now(), what=seen))
    with databases.hub.session(edge.known.scope) as session:
        keep_events(session, TOKENS, edge.known, [event], clock.now())
    relay.once()
    relay.once()
    ((url, body),) = queues.of(customer)
    assert (url, json.loads(body)["what"]) == ("queue/ingest", "events")
    clock.advance(REMIND_SECONDS)
    relay.once()
    assert len(queues.of(customer)) == 2
    functions.ingester(sqs_event("ingest_events", [body]), functions.context("ingest_events"))
    clock.advance(REMIND_SECONDS)
    relay.once()
    assert len(queues.of(customer)) == 2


def test_an_invocation_says_how_much_it_carried(
    databases: Databases, customer: Customer, relay: Relay, queues: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    save(databases, customer)
    handle = relay_jobs.compose(relay, Instruments("relay_jobs"))
    counted = handle({}, Countdown(1))
    assert counted == {"carried": len(queues.messages), "refused": 0}
    assert "MessagesCarried" in capsys.readouterr().out


@pytest.fixture
def stubbed() -> Iterator[tuple[SqsQueues, Stubber, list[str]]]:
    """SQS's client without SQS: botocore checks what is sent, and what is answered, against SQS's own model."""
    client = boto3.client(
        "sqs", region_name="eu-central-1", aws_access_key_id="nobody", aws_secret_access_key="nothing"
    )
    told: list[str] = []
    with Stubber(client) as stubber:
        yield SqsQueues(client, told.append), stubber, told
        stubber.assert_no_pending_responses()
    client.close()


def test_a_batch_is_what_sqs_understands(stubbed: tuple[SqsQueues, Stubber, list[str]]) -> None:
    queues, stubber, told = stubbed
    stubber.add_response(
        "send_message_batch",
        {
            "Successful": [{"Id": str(n), "MessageId": "m", "MD5OfMessageBody": "d"} for n in range(2)],
            "Failed": [],
        },
        {
            "QueueUrl": SQS_URL,
            "Entries": [{"Id": "0", "MessageBody": "a"}, {"Id": "1", "MessageBody": "b"}],
        },
    )
    assert queues.send(SQS_URL, ["a", "b"]) == []
    assert told == []


def test_what_sqs_did_not_take_of_a_batch_comes_back(stubbed: tuple[SqsQueues, Stubber, list[str]]) -> None:
    queues, stubber, told = stubbed
    stubber.add_response(
        "send_message_batch",
        {
            "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "d"}],
            "Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError"}],
        },
    )
    assert queues.send(SQS_URL, ["a", "b"]) == ["b"]
    assert told == ["InternalError"]


def test_nothing_is_lost_when_sqs_refuses_everything(stubbed: tuple[SqsQueues, Stubber, list[str]]) -> None:
    queues, stubber, told = stubbed
    stubber.add_client_error("send_message_batch", service_error_code="AccessDenied")
    assert queues.send(SQS_URL, ["a", "b"]) == ["a", "b"]
    assert told == ["ClientError"]


def test_the_entry_point_composes_itself_from_the_environment(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TANDEM_DATABASE_URL": databases.urls.worker,
        "TANDEM_PUBLISH_SITES_QUEUE_URL": SQS_URL,
        "TANDEM_DELIVER_WEBHOOKS_QUEUE_URL": SQS_URL,
        "TANDEM_INGEST_EVENTS_QUEUE_URL": SQS_URL,
        "TANDEM_PUSH_REDIRECTS_QUEUE_URL": SQS_URL,
        "TANDEM_RENEW_CERTIFICATES_QUEUE_URL": SQS_URL,
        "TANDEM_SEND_MAILS_QUEUE_URL": SQS_URL,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }.items():
        monkeypatch.setenv(name, value)
    opened = []

    class Empty(Relay):
        """A relay with nothing to carry: the database is shared, and there is no SQS."""

        def once(self) -> int:
            opened.append(self._database)
            return 0

    monkeypatch.setattr(relay_jobs, "Relay", Empty)
    relay_jobs._composed.cache_clear()
    try:
        context = LambdaContext(function_name="relay_jobs", aws_request_id="r", remaining_ms=0)
        assert relay_jobs.handler({}, context) == {"carried": 0, "refused": 0}
    finally:
        relay_jobs._composed.cache_clear()
        for database in opened:
            database.close()
