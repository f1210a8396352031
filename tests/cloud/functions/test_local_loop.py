"""The functions on one machine: woken by what is committed, and back when the database is."""

from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from cloud.clock import SystemClock
from cloud.functions.deliver_webhooks.sending import HttpSender
from cloud.functions.push_redirects.handler import new_client
from cloud.functions.send_mails.sending import SmtpMailer
from cloud.local.functions import FunctionsLoop
from cloud.pbx import edges
from cloud.pbx.database import SITE_CHANNEL
from cloud.pbx.publishing import latest_snapshot, request_publish
from cloud.pbx.secrets import FileKeyService
from contract.snapshot import Snapshot
from tests.support.customers import TOKENS, Customer, EdgeAtSite, add_user
from tests.support.postgres import Databases
from tests.support.scripted_receiver import Answer, ScriptedReceiver
from tests.support.waiting import eventually


@pytest.fixture
def loop(databases: Databases, keys: FileKeyService) -> Iterator[FunctionsLoop]:
    clock = SystemClock()
    sender = HttpSender(clock, private_allowed=True, timeout_seconds=5)
    loop = FunctionsLoop(
        databases.worker,
        keys,
        clock,
        TOKENS,
        sender,
        new_client(private_allowed=True, timeout_seconds=5),
        SmtpMailer("", 25, "none", "tandem@msp.test", "", SecretStr(""), 5),
        schedule=(0.01, 0.01),
    )
    loop.start()
    yield loop
    loop.stop()


def save(databases: Databases, customer: Customer, extension: str) -> None:
    with databases.api.session(customer.scope) as session:
        add_user(session, customer, extension)
        request_publish(session, TOKENS, customer.site_id, f"user {extension} created")


def test_what_is_saved_is_published_without_anybody_asking(
    databases: Databases, customer: Customer, loop: FunctionsLoop
) -> None:
    with databases.hub.listen(SITE_CHANNEL) as listener:
        save(databases, customer, "200")
        assert [n.payload for n in listener.notifies(timeout=10, stop_after=1)] == [str(customer.site_id)]
    with databases.hub.session(customer.scope) as session:
        snapshot = latest_snapshot(session, customer.site_id)
    assert snapshot is not None
    assert snapshot.version == 1


def test_an_edge_that_connects_is_told_to_the_tenant_again_after_a_failure(
    databases: Databases,
    edge: EdgeAtSite,
    receiver: ScriptedReceiver,
    endpoint_secret: SecretStr,
    loop: FunctionsLoop,
) -> None:
    receiver.answers.append(Answer(status=500))
    with databases.hub.session(edge.known.scope) as session:
        edges.take_lease(session, edge.known, hub="a", now=SystemClock().now(), seconds=600)
    eventually(lambda: len(receiver.received) == 2, what="the message comes again")
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


def test_work_goes_on_after_every_connection_to_the_database_was_cut(
    databases: Databases, customer: Customer, loop: FunctionsLoop
) -> None:
    administrator = databases.urls.administrator.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and usename = 'tandem_worker'"
        )
    save(databases, customer, "200")

    def published() -> Snapshot | None:
        with databases.hub.session(customer.scope) as session:
            return latest_snapshot(session, customer.site_id)

    assert eventually(published, what="the site is published")
