"""From what happens at a site to a signed message, delivered once it is accepted, and never again after 410."""

import json
import threading
from datetime import timedelta

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from cloud.models import Job, WebhookDelivery, WebhookEndpoint
from cloud.pbx import edges
from cloud.pbx.errors import Conflict
from cloud.pbx.webhooks import announce, replay_delivery
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, EdgeAtSite, HandClock
from tests.support.postgres import Databases
from tests.support.scripted_receiver import Answer, ScriptedReceiver


def tell(databases: Databases, customer: Customer, clock: HandClock) -> None:
    with databases.worker.session(customer.scope) as session:
        announce(session, TOKENS, customer.tenant_id, "alarm.raised", clock.now(), {"alarm": "disk_full"})


def delivery(databases: Databases, customer: Customer) -> WebhookDelivery:
    with databases.api.session(customer.scope) as session:
        return session.query(WebhookDelivery).one()


def test_a_message_is_signed_so_that_the_specifications_own_library_accepts_it(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    tell(databases, customer, clock)
    assert functions.deliver() == 1
    (request,) = receiver.received
    message = Webhook(endpoint_secret.get_secret_value()).verify(request.body, request.headers)
    assert message["type"] == "alarm.raised"
    assert message["data"] == {"alarm": "disk_full"}
    assert message["timestamp"].endswith("Z")
    assert request.path == "/hook?site=1"
    done = delivery(databases, customer)
    assert (done.state, done.attempts, done.response_status) == ("delivered", 1, 200)


def test_a_refused_message_comes_again_later_under_the_same_id_with_the_time_of_the_attempt(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.append(Answer(status=500, body=b"not today"))
    tell(databases, customer, clock)
    functions.deliver()
    waiting = delivery(databases, customer)
    assert (waiting.state, waiting.response_status, waiting.response_text) == ("pending", 500, "not today")
    assert functions.deliver() == 0
    clock.advance(6)
    assert functions.deliver() == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    Webhook(endpoint_secret.get_secret_value()).verify(second.body, second.headers)
    assert delivery(databases, customer).state == "delivered"


def test_410_disables_the_endpoint_and_nothing_is_ever_sent_there_again(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.append(Answer(status=410))
    tell(databases, customer, clock)
    claimed = functions.claim_deliveries()
    tell(databases, customer, clock)
    functions.deliver(claimed)
    functions.deliver()
    tell(databases, customer, clock)
    clock.advance(100_000)
    functions.deliver()
    assert len(receiver.received) == 1
    with databases.api.session(customer.scope) as session:
        endpoint = session.query(WebhookEndpoint).one()
        assert (endpoint.enabled, endpoint.disabled_reason) == (False, "It answered 410 Gone.")
        assert sorted(row.state for row in session.query(WebhookDelivery)) == ["cancelled", "failed"]
        failed = session.query(WebhookDelivery).where(WebhookDelivery.state == "failed").one()
        with pytest.raises(Conflict, match="disabled"):
            replay_delivery(session, TOKENS, failed.id, clock.now())


def test_a_redirection_is_a_failure_and_is_not_followed(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.append(Answer(status=307, headers={"location": receiver.url}))
    tell(databases, customer, clock)
    functions.deliver()
    assert len(receiver.received) == 1
    assert (delivery(databases, customer).state, delivery(databases, customer).response_status) == ("pending", 307)


def test_after_the_last_attempt_the_delivery_has_failed_and_its_job_is_dead(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.extend(Answer(status=503) for _ in range(3))
    tell(databases, customer, clock)
    for _ in range(3):
        assert functions.deliver() == 1
        clock.advance(400)
    assert functions.deliver() == 0
    assert delivery(databases, customer).state == "failed"
    with databases.worker.session(customer.scope) as session:
        assert [(job.state, job.error) for job in session.query(Job)] == [("dead", "answered 503")]


def test_a_failed_delivery_can_be_replayed_by_hand_under_its_own_id(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    tell(databases, customer, clock)
    functions.deliver()
    with databases.api.session(customer.scope) as session:
        replay_delivery(session, TOKENS, session.query(WebhookDelivery).one().id, clock.now())
    functions.deliver()
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert delivery(databases, customer).state == "delivered"


def test_retry_after_puts_the_next_attempt_off(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.append(Answer(status=429, headers={"retry-after": "120"}))
    tell(databases, customer, clock)
    functions.deliver()
    assert delivery(databases, customer).next_attempt_at == clock.now() + timedelta(seconds=120)
    clock.advance(119)
    assert functions.deliver() == 0
    clock.advance(1)
    assert functions.deliver() == 1


def test_the_same_message_handed_over_twice_is_sent_once(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    receiver.answers.append(Answer(status=500))
    tell(databases, customer, clock)
    bodies = functions.claim_deliveries()
    functions.deliver(bodies)
    functions.deliver(bodies)
    functions.deliver([*bodies, *bodies])
    assert len(receiver.received) == 1
    assert delivery(databases, customer).attempts == 1


def test_a_receiver_that_does_not_answer_in_time_is_given_up(
    databases: Databases,
    functions: Functions,
    customer: Customer,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    held = threading.Event()
    receiver.answers.append(Answer(hold=held))
    functions.sender._client.timeout_seconds = 0.2
    tell(databases, customer, clock)
    try:
        functions.deliver()
    finally:
        held.set()
    assert delivery(databases, customer).error == "No answer within 0.2 seconds."


def test_an_endpoint_hears_only_of_what_it_asked_for(
    databases: Databases, customer: Customer, clock: HandClock, endpoint_secret: SecretStr
) -> None:
    with databases.api.session(customer.scope) as session:
        session.query(WebhookEndpoint).one().event_types = ["call.ended"]
    tell(databases, customer, clock)
    with databases.worker.session(customer.scope) as session:
        assert announce(session, TOKENS, customer.tenant_id, "call.ended", clock.now(), {}) == 1
        assert [row.event_type for row in session.query(WebhookDelivery)] == ["call.ended"]


def test_an_edge_that_comes_and_goes_is_told_once_each(
    databases: Databases,
    functions: Functions,
    edge: EdgeAtSite,
    clock: HandClock,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
) -> None:
    with databases.hub.session(edge.known.scope) as session:
        edges.take_lease(session, edge.known, hub="a", now=clock.now(), seconds=30)
    for seconds in (0, 1, 60, 1):
        clock.advance(seconds)
        functions.ingest()
        functions.ingest()
        functions.deliver()
    told = [json.loads(request.body) for request in receiver.received]
    assert [message["type"] for message in told] == ["edge.online", "edge.offline"]
    assert {message["data"]["edge_id"] for message in told} == {str(edge.known.edge_id)}
