"""The functions' parts on the test's database, with a clock moved by hand and a receiver of webhooks."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from cloud.functions.deliver_webhooks import handler as deliver_webhooks
from cloud.functions.deliver_webhooks.sending import HttpSender
from cloud.functions.ingest_events import handler as ingest_events
from cloud.functions.publish_sites import handler as publish_sites
from cloud.functions.records import LambdaContext, claim_records, failures, inbox_records, sqs_event
from cloud.pbx.publishing import PUBLISH_SITE
from cloud.pbx.secrets import FileKeyService
from cloud.pbx.webhooks import DELIVER_WEBHOOK, create_endpoint
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock, enrolled_edge, key_service, new_customer
from tests.support.postgres import Databases
from tests.support.scripted_receiver import ScriptedReceiver, scripted_receiver

SCHEDULE = (5.0, 300.0)


@dataclass
class Functions:
    """The three functions; each call does what waits at the clock's time."""

    databases: Databases
    clock: HandClock
    keys: FileKeyService

    def __post_init__(self) -> None:
        worker = self.databases.worker
        self.publisher = publish_sites.compose(worker, self.clock, TOKENS)
        self.ingester = ingest_events.compose(worker, self.clock, TOKENS)
        self.sender = HttpSender(self.clock, private_allowed=True, timeout_seconds=5)
        self.deliverer = deliver_webhooks.compose(worker, self.keys, self.clock, TOKENS, self.sender, SCHEDULE)

    def publish(self) -> list[str]:
        bodies = claim_records(self.databases.worker, [PUBLISH_SITE], self.clock.now())
        return failures(self.publisher(sqs_event("publish_sites", bodies), self.context("publish_sites")))

    def ingest(self) -> list[str]:
        bodies = inbox_records(self.databases.worker, self.clock.now())
        return failures(self.ingester(sqs_event("ingest_events", bodies), self.context("ingest_events")))

    def claim_deliveries(self) -> list[str]:
        return claim_records(self.databases.worker, [DELIVER_WEBHOOK], self.clock.now())

    def deliver(self, bodies: list[str] | None = None) -> int:
        """How many messages were handled; none may fail."""
        bodies = self.claim_deliveries() if bodies is None else bodies
        response = self.deliverer(sqs_event("deliver_webhooks", bodies), self.context("deliver_webhooks"))
        assert failures(response) == []
        return len(bodies)

    @staticmethod
    def context(name: str) -> LambdaContext:
        return LambdaContext(function_name=name, aws_request_id=str(TOKENS.id()))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def keys() -> FileKeyService:
    return key_service()


@pytest.fixture
def customer(databases: Databases) -> Customer:
    return new_customer(databases.api)


@pytest.fixture
def edge(databases: Databases, customer: Customer, clock: HandClock) -> EdgeAtSite:
    return enrolled_edge(databases.api, customer, clock.now())


@pytest.fixture
def functions(databases: Databases, clock: HandClock, keys: FileKeyService) -> Functions:
    return Functions(databases, clock, keys)


@pytest.fixture
def receiver() -> Iterator[ScriptedReceiver]:
    with scripted_receiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint_secret(
    databases: Databases, customer: Customer, keys: FileKeyService, receiver: ScriptedReceiver
) -> SecretStr:
    """The receiver is registered for every event; its signing secret."""
    with databases.api.session(customer.scope) as session:
        _, secret = create_endpoint(session, keys, TOKENS, customer.tenant_id, url=receiver.url, insecure_allowed=True)
        return secret
