"""What is saved is published: compiled, versioned, once, and never without the save."""

import pytest
from sqlalchemy import func, select, text

from cloud.functions.records import claim_records, failures, sqs_event
from cloud.models import Job, Line, Site, Snapshot, User
from cloud.pbx.database import SITE_CHANNEL
from cloud.pbx.outbox import CLAIM_SECONDS
from cloud.pbx.publishing import PUBLISH_SITE, latest_snapshot, newest_version, request_publish, snapshot_version
from contract import snapshot as contract
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, HandClock, add_phone, add_user
from tests.support.postgres import Databases


def save_user(databases: Databases, customer: Customer, extension: str) -> None:
    with databases.api.session(customer.scope) as session:
        add_user(session, customer, extension)
        request_publish(session, TOKENS, customer.site_id, f"user {extension} created")


def latest(databases: Databases, customer: Customer) -> contract.Snapshot | None:
    with databases.hub.session(customer.scope) as session:
        return latest_snapshot(session, customer.site_id)


def test_a_saved_user_is_in_the_next_snapshot_with_the_dial_plan_every_site_has(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    save_user(databases, customer, "200")
    assert latest(databases, customer) is None
    assert functions.publish() == []
    snapshot = latest(databases, customer)
    assert snapshot is not None
    assert snapshot.version == 1
    assert [user.username for user in snapshot.users] == ["200"]
    codes = [rule.code for rule in snapshot.dial_plan.rules if isinstance(rule, contract.ServiceRule)]
    assert codes == ["*99", "*66"]
    assert any(isinstance(rule, contract.InternalRule) for rule in snapshot.dial_plan.rules)


def test_a_save_that_is_rolled_back_leaves_neither_rows_nor_a_job(databases: Databases, customer: Customer) -> None:
    def save_and_fail() -> None:
        with databases.api.session(customer.scope) as session:
            add_user(session, customer, "200")
            request_publish(session, TOKENS, customer.site_id, "user 200 created")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        save_and_fail()
    with databases.worker.session(customer.scope) as session:
        assert session.execute(select(func.count()).select_from(User)).scalar_one() == 0
        assert session.execute(select(func.count()).select_from(Job)).scalar_one() == 0


def test_many_saves_before_anybody_publishes_are_one_version(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    for extension in ("200", "201", "202"):
        save_user(databases, customer, extension)
    functions.publish()
    functions.publish()
    snapshot = latest(databases, customer)
    assert snapshot is not None
    assert (snapshot.version, len(snapshot.users)) == (1, 3)


def test_publishing_what_did_not_change_makes_no_version(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    save_user(databases, customer, "200")
    functions.publish()
    with databases.api.session(customer.scope) as session:
        request_publish(session, TOKENS, customer.site_id, "nothing")
    functions.publish()
    with databases.hub.session(customer.scope) as session:
        newest = newest_version(session, customer.site_id)
        assert newest is not None
        assert newest.version == 1


def test_each_version_stays_as_it_was_published_and_carries_its_digest(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    save_user(databases, customer, "200")
    functions.publish()
    save_user(databases, customer, "201")
    functions.publish()
    with databases.api.session(customer.scope) as session:
        for version, users in ((1, 1), (2, 2)):
            snapshot = snapshot_version(session, customer.site_id, version)
            row = session.get_one(Snapshot, (customer.site_id, version))
            assert snapshot is not None
            assert (snapshot.version, len(snapshot.users)) == (version, users)
            assert row.digest == contract.snapshot_digest(snapshot)
        assert session.get_one(Snapshot, (customer.site_id, 2)).cause == "user 201 created"


def test_a_save_made_while_the_site_is_being_published_is_published_after_it(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock
) -> None:
    save_user(databases, customer, "200")

    running = claim_records(databases.worker, [PUBLISH_SITE], clock.now())
    save_user(databases, customer, "201")
    assert claim_records(databases.worker, [PUBLISH_SITE], clock.now()) == []
    functions.publisher(sqs_event("publish_sites", running), functions.context("publish_sites"))
    functions.publish()
    snapshot = latest(databases, customer)
    assert snapshot is not None
    assert len(snapshot.users) == 2


def test_a_publisher_that_died_is_replaced_when_its_claim_ends(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock
) -> None:
    save_user(databases, customer, "200")
    assert claim_records(databases.worker, [PUBLISH_SITE], clock.now())
    functions.publish()
    assert latest(databases, customer) is None
    clock.advance(CLAIM_SECONDS + 1)
    functions.publish()
    assert latest(databases, customer) is not None


def test_a_site_that_cannot_be_compiled_is_tried_again_and_is_dead_in_the_end(
    databases: Databases, functions: Functions, customer: Customer, clock: HandClock
) -> None:
    with databases.api.session(customer.scope) as session:
        session.get_one(Site, customer.site_id).digest_algorithms = ["ROT13"]
        request_publish(session, TOKENS, customer.site_id, "nonsense")
    for _ in range(10):
        assert functions.publish() == []
        clock.advance(1000)
    with databases.worker.session(customer.scope) as session:
        job = session.query(Job).one()
        assert (job.state, job.attempts) == ("dead", 6)
        assert "ValidationError" in job.error


def test_secret_values_are_neither_in_a_snapshot_nor_in_a_row(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    planted = "correct-horse-battery-staple"
    with databases.api.session(customer.scope) as session:
        user = add_user(session, customer, "200")
        line = add_phone(session, customer, user, functions.keys, planted, "001565aabbcc")
        request_publish(session, TOKENS, customer.site_id, "phone added")
    functions.publish()
    snapshot = latest(databases, customer)
    assert snapshot is not None
    assert snapshot.secret_refs() == {f"{line.secret_id}:{line.secret_version}"}
    assert planted not in snapshot.model_dump_json()
    with databases.api.session(customer.scope) as session:
        tables = session.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()
        assert session.execute(select(func.count()).select_from(Line)).scalar_one() == 1
    for table in set(tables) - {"alembic_version"}:
        reader = databases.hub if table == "voicemail_pieces" else databases.api  # what the API has no right to read
        with reader.session(customer.scope) as session:
            rows = session.execute(text(f"select t::text from {table} t")).scalars().all()
        assert not [row for row in rows if planted in row or planted.encode().hex() in row], table


def test_hubs_are_woken_with_the_site_when_its_version_is_committed(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    with databases.hub.listen(SITE_CHANNEL) as listener:
        save_user(databases, customer, "200")
        functions.publish()
        assert [n.payload for n in listener.notifies(timeout=5, stop_after=1)] == [str(customer.site_id)]


def test_a_deleted_sites_job_ends_quietly(databases: Databases, functions: Functions, customer: Customer) -> None:
    body = (
        f'{{"job_id":"{TOKENS.id()}","tenant_id":"{customer.tenant_id}","kind":"publish_site","key":"x",'
        f'"payload":{{}},"attempt":1}}'
    )
    response = functions.publisher(sqs_event("publish_sites", [body]), functions.context("publish_sites"))
    assert response == {"batchItemFailures": []}


def test_a_message_that_is_none_is_reported_to_the_queue_alone(
    databases: Databases, functions: Functions, customer: Customer
) -> None:
    save_user(databases, customer, "200")
    good = claim_records(databases.worker, [PUBLISH_SITE], functions.clock.now())
    event = sqs_event("publish_sites", ["{}", *good])
    failed = failures(functions.publisher(event, functions.context("publish_sites")))
    assert failed == [event["Records"][0]["messageId"]]
    assert latest(databases, customer) is not None
