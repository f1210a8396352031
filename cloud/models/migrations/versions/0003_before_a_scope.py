"""What a process must find before it knows whose work it does: functions that return only what is needed.

They run as the owner with the platform's view, and each may be called by the roles that need it alone.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A SET clause of the function would need a privilege that managed databases do not give; so it is done by hand.
BEGIN = """language plpgsql volatile security definer set search_path = public, pg_catalog as $$
#variable_conflict use_column
declare scope text := coalesce(current_setting('app.platform', true), '');
begin
    perform set_config('app.platform', 'on', true);
    return query"""
END = """;
    perform set_config('app.platform', scope, true);
end $$"""

FUNCTIONS = {
    "find_login(text)": (
        "tandem_api",
        """create function find_login(wanted text) returns table (
            account_id uuid, tenant_id uuid, msp_id uuid, user_id uuid, role text, email text, display_name text,
            password_hash text, enabled boolean)
        {begin}
            select id, tenant_id, msp_id, user_id, role, email, display_name, password_hash, enabled
            from accounts where lower(email) = lower(wanted)
        {end}""",
    ),
    "find_refresh_token(bytea)": (
        "tandem_api",
        """create function find_refresh_token(wanted bytea) returns table (
            token_id uuid, family_id uuid, expires_at timestamptz, used_at timestamptz, revoked_at timestamptz,
            account_id uuid, tenant_id uuid, msp_id uuid, user_id uuid, role text, email text, enabled boolean)
        {begin}
            select t.id, t.family_id, t.expires_at, t.used_at, t.revoked_at,
                a.id, a.tenant_id, a.msp_id, a.user_id, a.role, a.email, a.enabled
            from refresh_tokens t join accounts a on a.id = t.account_id where t.token_hash = wanted
        {end}""",
    ),
    "find_enrollment_code(bytea)": (
        "tandem_api",
        """create function find_enrollment_code(wanted bytea) returns table (
            code_id uuid, tenant_id uuid, edge_id uuid)
        {begin}
            select id, tenant_id, edge_id from enrollment_codes where token_hash = wanted
        {end}""",
    ),
    "find_edge(uuid)": (
        "tandem_api, tandem_hub",
        """create function find_edge(wanted uuid) returns table (
            edge_id uuid, tenant_id uuid, site_id uuid, identity_key bytea, sealing_key bytea, revoked_at timestamptz)
        {begin}
            select id, tenant_id, site_id, identity_key, sealing_key, revoked_at from edges where id = wanted
        {end}""",
    ),
    "look_after_edges(uuid[])": (
        "tandem_hub",
        """create function look_after_edges(wanted uuid[]) returns table (
            edge_id uuid, site_id uuid, revoked_at timestamptz, version integer, digest text,
            state_changed_at timestamptz, open_commands bigint, lease_hub text)
        {begin}
            select e.id, e.site_id, e.revoked_at, s.version, s.digest,
                (select max(st.changed_at) from site_state st where st.site_id = e.site_id),
                (select count(*) from commands c
                    where c.edge_id = e.id and c.finished_at is null and c.sent_at is null),
                l.hub
            from edges e
            left join edge_leases l on l.edge_id = e.id
            left join lateral (
                select n.version, n.digest from snapshots n where n.site_id = e.site_id order by n.version desc limit 1
            ) s on true
            where e.id = any (wanted)
        {end}""",
    ),
    "claim_jobs(text[], integer, timestamptz, integer)": (
        "tandem_worker",
        # The caller's clock may be behind the database's, which said when a job is due.
        # Never two of one key at once: the second would publish what the first has seen, or less.
        """create function claim_jobs(kinds text[], how_many integer, at timestamptz, lease_seconds integer)
        returns table (job_id uuid, tenant_id uuid, kind text, key text, payload jsonb, attempts integer)
        {begin}
            with due as (
                select j.id from jobs j
                where j.kind = any (kinds)
                    and ((j.state = 'pending' and j.run_at <= greatest(at, now()))
                        or (j.state = 'claimed' and j.claimed_until < at))
                    and not exists (
                        select 1 from jobs o where o.kind = j.kind and o.key = j.key and o.id <> j.id
                            and o.state = 'claimed' and o.claimed_until >= at)
                order by j.run_at, j.id limit how_many for update of j skip locked)
            update jobs j
            set state = 'claimed', attempts = j.attempts + 1,
                claimed_until = at + make_interval(secs => lease_seconds)
            from due where j.id = due.id
            returning j.id, j.tenant_id, j.kind, j.key, j.payload, j.attempts
        {end}""",
    ),
    "waiting_events(integer)": (
        "tandem_worker",
        """create function waiting_events(how_many integer) returns table (
            tenant_id uuid, edge_id uuid, waiting bigint)
        {begin}
            select tenant_id, edge_id, count(*) from events where ingested_at is null
            group by events.tenant_id, events.edge_id order by min(received_at) limit how_many
        {end}""",
    ),
    "presence_changes(timestamptz)": (
        "tandem_worker",
        """create function presence_changes(at timestamptz) returns table (tenant_id uuid, edge_id uuid)
        {begin}
            select tenant_id, edge_id from edge_leases
            where announced_online is distinct from coalesce(expires_at > at, false)
        {end}""",
    ),
}


def upgrade() -> None:
    """Make the functions and say who may call them."""
    for signature, (roles, body) in FUNCTIONS.items():
        op.execute(body.replace("{begin}", BEGIN).replace("{end}", END))
        op.execute(f"revoke all on function {signature} from public")
        op.execute(f"grant execute on function {signature} to {roles}")
