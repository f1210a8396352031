"""Nobody sees or changes another tenant's rows, whatever the code above asks for: the database refuses."""

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from cloud.models import Account, AuditEntry, Base, Edge, Job, Line, Site, Tenant, User
from cloud.pbx.audit import Actor, record
from cloud.pbx.database import NOBODY, PLATFORM, Scope
from cloud.pbx.edges import take_lease
from cloud.pbx.publishing import publish_site, request_publish
from cloud.pbx.secrets import keep_secret
from cloud.pbx.state import write_state
from cloud.pbx.webhooks import announce, create_endpoint
from tests.support.customers import (
    TOKENS,
    Customer,
    HandClock,
    add_phone,
    add_user,
    enrolled_edge,
    key_service,
    new_customer,
)
from tests.support.postgres import Databases


@pytest.fixture
def stranger(databases: Databases, clock: HandClock) -> Customer:
    """Another MSP's tenant that has something of nearly everything."""
    stranger, keys = new_customer(databases.api), key_service()
    edge = enrolled_edge(databases.api, stranger, clock.now())
    with databases.api.session(stranger.scope) as session:
        user = add_user(session, stranger, "200")
        add_phone(session, stranger, user, keys, "password", "001565aabbcc")
        create_endpoint(session, keys, TOKENS, stranger.tenant_id, url="https://example.com/")
        request_publish(session, TOKENS, stranger.site_id, "test")
        write_state(session, stranger.site_id, f"do_not_disturb/{user.id}", True, clock.now())
        record(session, TOKENS, Actor("test"), "user.created", "user", user.id, tenant_id=stranger.tenant_id)
        session.add(
            Account(
                id=TOKENS.id(),
                tenant_id=stranger.tenant_id,
                role="tenant_admin",
                email="admin@customer.test",
                password_hash="x",
            )
        )
    with databases.worker.session(stranger.scope) as session:
        announce(session, TOKENS, stranger.tenant_id, "call.ended", clock.now(), {})
    with databases.hub.session(stranger.scope) as session:
        take_lease(session, edge.known, hub="a", now=clock.now(), seconds=30)
    publish_site(databases.worker, stranger.scope, stranger.site_id, "test")
    return stranger


FILLED = {
    *("accounts", "audit", "devices", "edge_leases", "edges", "enrollment_codes", "jobs", "lines", "secrets", "sites"),
    *("site_state", "snapshots", "tenants", "user_names", "users", "webhook_deliveries", "webhook_endpoints"),
}
"""Tables that the stranger has rows in, so that seeing none of them means something."""


def readable(databases: Databases, role: str, scope: Scope) -> dict[str, int]:
    """How many rows each table that the role may read shows in a scope."""
    counts: dict[str, int] = {}
    with getattr(databases, role).session(scope) as session:
        for table in Base.metadata.tables:
            may = session.execute(
                text("select has_table_privilege(current_user, :table, 'select')"), {"table": table}
            ).scalar_one()
            if may and table != "idempotency":
                counts[table] = session.execute(text(f"select count(*) from {table}")).scalar_one()
    return counts


@pytest.mark.parametrize("role", ["api", "hub", "worker"])
def test_a_tenant_sees_nothing_of_another_in_any_table(
    databases: Databases, customer: Customer, stranger: Customer, role: str
) -> None:
    own = {"sites", "tenants"}
    seen = readable(databases, role, customer.scope)
    assert {table for table, count in seen.items() if count} <= own
    assert all(count <= 1 for count in seen.values())


def test_a_tenant_sees_what_is_its_own(databases: Databases, stranger: Customer) -> None:
    seen = {**readable(databases, "worker", stranger.scope), **readable(databases, "api", stranger.scope)}
    assert {table for table, count in seen.items() if count} == FILLED


@pytest.mark.parametrize("role", ["api", "hub", "worker"])
def test_without_a_scope_there_are_no_rows(databases: Databases, stranger: Customer, role: str) -> None:
    assert not any(readable(databases, role, NOBODY).values())


def test_an_msp_sees_its_tenants_and_no_others(databases: Databases, customer: Customer, stranger: Customer) -> None:
    second = new_customer(databases.api, customer.msp_id)
    with databases.api.session(Scope(msp_id=customer.msp_id)) as session:
        assert set(session.execute(select(Tenant.id)).scalars()) == {customer.tenant_id, second.tenant_id}
        assert set(session.execute(select(Site.id)).scalars()) == {customer.site_id, second.site_id}
    with databases.api.session(Scope(msp_id=stranger.msp_id)) as session:
        assert session.execute(select(Account.email)).scalars().all() == ["admin@customer.test"]


def test_the_platform_sees_everybody(databases: Databases, customer: Customer, stranger: Customer) -> None:
    with databases.api.session(PLATFORM) as session:
        assert {customer.site_id, stranger.site_id} <= set(session.execute(select(Site.id)).scalars())


def test_a_scope_ends_with_its_transaction(databases: Databases, stranger: Customer) -> None:
    for _ in range(3):
        with databases.api.session(stranger.scope) as session:
            assert session.execute(select(User.id)).scalars().all()
        with databases.api.session() as session:
            assert not session.execute(select(User.id)).scalars().all()


def test_writing_for_another_tenant_is_refused(databases: Databases, customer: Customer, stranger: Customer) -> None:
    def write() -> None:
        with databases.api.session(customer.scope) as session:
            session.add(Site(id=TOKENS.id(), tenant_id=stranger.tenant_id, name="Mine now"))

    with pytest.raises(ProgrammingError, match="row-level security"):
        write()


def test_changes_and_deletions_do_not_reach_another_tenant(
    databases: Databases, customer: Customer, stranger: Customer
) -> None:
    with databases.api.session(customer.scope) as session:
        changed = session.execute(update(User).values(enabled=False).returning(User.id)).all()
        deleted = session.execute(delete(Edge).returning(Edge.id)).all()
        assert (changed, deleted) == ([], [])


def test_a_reference_to_another_tenants_row_is_refused_like_one_to_nothing(
    databases: Databases, customer: Customer, stranger: Customer
) -> None:
    def refer(user_id: object) -> str:
        with databases.api.session(customer.scope) as session:
            secret = keep_secret(session, key_service(), TOKENS, customer.tenant_id, SecretStr("pw"))
            line = Line(
                id=TOKENS.id(),
                tenant_id=customer.tenant_id,
                site_id=customer.site_id,
                user_id=user_id,
                auth_username="a",
                secret_id=secret.secret_id,
                secret_version=secret.version,
            )
            session.add(line)
            with pytest.raises(IntegrityError) as refused:
                session.flush()
            session.rollback()
            assert refused.value.orig is not None
            return str(refused.value.orig).split("DETAIL")[0]

    assert refer(stranger.users[0]) == refer(TOKENS.id())


def test_what_was_audited_cannot_be_changed_or_deleted(databases: Databases, stranger: Customer) -> None:
    def forge(statement: object) -> None:
        with databases.api.session(stranger.scope) as session:
            session.execute(statement)  # type: ignore[call-overload]

    for statement in (update(AuditEntry).values(actor="nobody"), delete(AuditEntry)):
        with pytest.raises(ProgrammingError, match="permission denied"):
            forge(statement)


def test_the_hub_reads_neither_accounts_nor_jobs(databases: Databases, stranger: Customer) -> None:
    def peek(model: type[Base]) -> None:
        with databases.hub.session(stranger.scope) as session:
            session.execute(select(model))

    for model in (Account, Job, User):
        with pytest.raises(ProgrammingError, match="permission denied"):
            peek(model)


def test_a_name_is_used_once_in_a_tenant_whether_as_user_name_extension_or_alias(
    databases: Databases, customer: Customer, stranger: Customer
) -> None:
    def add(username: str, extension: str | None, aliases: list[str]) -> None:
        with databases.api.session(customer.scope) as session:
            session.add(
                User(
                    id=TOKENS.id(),
                    tenant_id=customer.tenant_id,
                    site_id=customer.site_id,
                    username=username,
                    display_name="",
                    extension=extension,
                    aliases=aliases,
                )
            )

    add("reception", "200", ["front.desk", "200"])
    refused: list[tuple[str, str | None, list[str]]]
    refused = [("200", None, []), ("workshop", "200", []), ("workshop", "201", ["reception"])]
    for taken in refused:
        with pytest.raises(IntegrityError, match="user_names"):
            add(*taken)
    add("workshop", "201", [])
    with databases.api.session(customer.scope) as session:
        user = session.query(User).where(User.username == "reception").one()
        user.aliases = ["lobby"]
    add("front.desk", None, [])


def test_a_tenant_that_is_deleted_takes_everything_of_its_own_along(databases: Databases, stranger: Customer) -> None:
    with databases.api.session(PLATFORM) as session:
        session.delete(session.get_one(Tenant, stranger.tenant_id))
    seen = {**readable(databases, "worker", PLATFORM), **readable(databases, "api", PLATFORM)}
    assert {table for table, count in seen.items() if count} == {"msps"}
