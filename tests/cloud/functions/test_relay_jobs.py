"""Due jobs reach the queue of the function that does them, in AWS."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from cloud.functions.records import sqs_event
from cloud.functions.relay_jobs.handler import CLAIM_SECONDS, NotSent, Relay, SqsQueues
from cloud.pbx.publishing import PUBLISH_SITE, newest_version, request_publish
from cloud.pbx.webhooks import DELIVER_WEBHOOK
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, HandClock
from tests.support.postgres import Databases

URLS = {PUBLISH_SITE: "queue/publish", DELIVER_WEBHOOK: "queue/deliver"}


@dataclass
class Kept:
    """Queues that keep what they are given, or lose it."""

    messages: list[tuple[str, str]] = field(default_factory=list)
    losing: bool = False

    def send(self, queue_url: str, bodies: Sequence[str]) -> None:
        if self.losing:
            raise NotSent
        self.messages.extend((queue_url, body) for body in bodies)


@dataclass
class Countdown:
    """An invocation whose time runs out after so many looks at the clock."""

    looks: int

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks > 0 else 0


def save(databases: Databases, customer: Customer) -> None:
    with databases.api.session(customer.scope) as session:
        request_publish(session, TOKENS, customer.site_id, "test")


def test_a_saved_change_reaches_its_queue_once_and_can_be_worked_on_there(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock
) -> None:
    queues = Kept()
    relay = Relay(databases.worker, queues, clock, URLS)
    save(databases, customer)
    assert relay.work(Countdown(2)) == 1
    assert relay.once() == 0
    ((url, body),) = queues.messages
    assert url == "queue/publish"
    functions.publisher(sqs_event("publish_sites", [body]), functions.context("publish_sites"))
    with databases.hub.session(customer.scope) as session:
        assert newest_version(session, customer.site_id) is not None


def test_what_no_queue_took_is_sent_again_when_its_claim_ends(
    databases: Databases, customer: Customer, clock: HandClock
) -> None:
    queues = Kept(losing=True)
    relay = Relay(databases.worker, queues, clock, URLS)
    save(databases, customer)
    with pytest.raises(NotSent):
        relay.once()
    queues.losing = False
    assert relay.once() == 0
    clock.advance(CLAIM_SECONDS + 1)
    assert relay.once() == 1
    assert len(queues.messages) == 1


def test_a_message_whose_claim_is_over_does_nothing(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock
) -> None:
    queues = Kept()
    relay = Relay(databases.worker, queues, clock, URLS)
    save(databases, customer)
    relay.once()
    clock.advance(CLAIM_SECONDS + 1)
    relay.once()
    (_, older), (_, newer) = queues.messages
    functions.publisher(sqs_event("publish_sites", [older]), functions.context("publish_sites"))
    with databases.hub.session(customer.scope) as session:
        assert newest_version(session, customer.site_id) is None
    functions.publisher(sqs_event("publish_sites", [newer]), functions.context("publish_sites"))
    with databases.hub.session(customer.scope) as session:
        assert newest_version(session, customer.site_id) is not None


def test_a_batch_that_sqs_takes_in_part_is_not_sent() -> None:
    class Client:
        def send_message_batch(self, **sent: Any) -> dict[str, Any]:
            assert [entry["MessageBody"] for entry in sent["Entries"]] == ["a", "b"]
            return {"Failed": [{"Id": "1"}]}

    with pytest.raises(NotSent):
        SqsQueues(Client()).send("queue/publish", ["a", "b"])
