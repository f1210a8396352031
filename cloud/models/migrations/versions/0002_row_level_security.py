"""Row-level security, forced on every table that holds something of somebody, and what each role may do.

The scope of a transaction is in `app.tenant_id`, `app.msp_id` and `app.platform`; without any there are no rows.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "alarms",
    "calls",
    "commands",
    "devices",
    "edge_leases",
    "edges",
    "enrollment_codes",
    "events",
    "jobs",
    "lines",
    "registrations",
    "secrets",
    "site_state",
    "sites",
    "snapshots",
    "unknown_phones",
    "user_names",
    "users",
    "webhook_deliveries",
    "webhook_endpoints",
)

VISIBLE_TENANTS = """
create function app_tenants() returns uuid[] language sql stable parallel safe
set search_path = public, pg_catalog as $$
    select case
        when current_setting('app.platform', true) = 'on' then array(select id from tenants)
        when nullif(current_setting('app.tenant_id', true), '') is not null
            then array[nullif(current_setting('app.tenant_id', true), '')::uuid]
        when nullif(current_setting('app.msp_id', true), '') is not null
            then array(select id from tenants where msp_id = nullif(current_setting('app.msp_id', true), '')::uuid)
        else '{}'::uuid[]
    end
$$
"""
# A sub-select is evaluated once per statement, not once per row, and its value serves as an index condition.
OF_VISIBLE_TENANT = "tenant_id = any ((select app_tenants())::uuid[])"
PLATFORM = "(select current_setting('app.platform', true)) = 'on'"
MSP = "nullif((select current_setting('app.msp_id', true)), '')::uuid"
TENANT = "nullif((select current_setting('app.tenant_id', true)), '')::uuid"
OF_MSP_OR_TENANT = f"{PLATFORM} or {OF_VISIBLE_TENANT} or (tenant_id is null and msp_id = {MSP})"

POLICIES = {
    **dict.fromkeys(TENANT_TABLES, OF_VISIBLE_TENANT),
    "tenants": f"{PLATFORM} or id = {TENANT} or msp_id = {MSP}",
    "msps": f"{PLATFORM} or id = {MSP}",
    "accounts": OF_MSP_OR_TENANT,
    "audit": OF_MSP_OR_TENANT,
    "refresh_tokens": "account_id in (select id from accounts)",
}

READ, WRITE, ALL = "select", "select, insert, update", "select, insert, update, delete"
GRANTS = {
    "tandem_api": {
        ALL: "msps tenants accounts refresh_tokens sites users user_names lines devices edges enrollment_codes"
        " webhook_endpoints secrets unknown_phones idempotency",
        WRITE: "jobs webhook_deliveries commands site_state",
        READ: "snapshots edge_leases registrations calls alarms events",
        "select, insert": "audit",
    },
    "tandem_hub": {
        READ: "tenants sites edges snapshots secrets",
        WRITE: "edge_leases commands site_state",
        "select, insert": "events",
    },
    "tandem_worker": {
        READ: "tenants sites users lines devices secrets site_state edges",
        WRITE: "webhook_endpoints webhook_deliveries edge_leases events calls alarms",
        ALL: "jobs registrations unknown_phones idempotency",
        "select, insert": "snapshots audit",
    },
}

NAMES_OF_USERS = """
create function keep_user_names() returns trigger language plpgsql set search_path = public, pg_catalog as $$
begin
    delete from user_names where user_id = new.id;
    insert into user_names (tenant_id, name, user_id)
        select distinct new.tenant_id, name, new.id
        from unnest(array[new.username] || new.aliases || coalesce(array[new.extension], '{}')) name
        where name is not null;
    return null;
end $$;
create trigger keep_user_names after insert or update of tenant_id, username, extension, aliases on users
    for each row execute function keep_user_names();
"""


def upgrade() -> None:
    """Close every table, then open it to whom it concerns."""
    op.execute("revoke all on schema public from public")
    op.execute(VISIBLE_TENANTS)
    for table, condition in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
    for role, grants in GRANTS.items():
        op.execute(f"grant usage on schema public to {role}")
        for privileges, tables in grants.items():
            op.execute(f"grant {privileges} on {', '.join(tables.split())} to {role}")
    op.execute(NAMES_OF_USERS)
