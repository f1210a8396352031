"""The schema: migrations give what the models say, and every tenant's rows are closed off in the database itself."""

from sqlalchemy import text

from cloud.models.upgrading import PROCESS_ROLES, check, upgrade
from cloud.pbx.database import PLATFORM
from tests.support.postgres import Databases


def test_the_migrations_lead_to_exactly_what_the_models_say(databases: Databases) -> None:
    check(databases.urls.owner)


def test_upgrading_a_database_that_is_up_to_date_changes_nothing(databases: Databases) -> None:
    upgrade(databases.urls.owner)


def test_row_level_security_is_forced_with_a_policy_on_every_table_that_names_a_tenant_or_an_msp(
    databases: Databases,
) -> None:
    with databases.worker.session(PLATFORM) as session:
        open_tables = session.execute(
            text("""
                select c.relname from pg_class c
                where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
                    and (c.relname in ('msps', 'tenants', 'refresh_tokens') or exists (
                        select 1 from pg_attribute a where a.attrelid = c.oid and a.attname in ('tenant_id', 'msp_id')))
                    and not (c.relrowsecurity and c.relforcerowsecurity
                        and exists (select 1 from pg_policy p where p.polrelid = c.oid
                            and p.polqual is not null and p.polwithcheck is not null))
            """)
        ).all()
        unprotected = session.execute(
            text("""
                select relname from pg_class
                where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relforcerowsecurity
            """)
        ).scalars()
        assert open_tables == []
        assert set(unprotected) == {"alembic_version", "idempotency"}


def test_the_roles_of_processes_own_nothing_and_can_neither_bypass_nor_create(databases: Databases) -> None:
    with databases.worker.session(PLATFORM) as session:
        for role in PROCESS_ROLES:
            powers = session.execute(
                text("""
                    select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as power,
                        exists (select 1 from pg_class where relowner = r.oid)
                        or exists (select 1 from pg_proc where proowner = r.oid)
                        or exists (select 1 from pg_database where datdba = r.oid) as owns,
                        exists (select 1 from pg_auth_members where member = r.oid) as member,
                        has_schema_privilege(r.oid, 'public', 'create') as creates
                    from pg_roles r where rolname = :role
                """),
                {"role": role},
            ).one()
            assert tuple(powers) == (False, False, False, False), role
