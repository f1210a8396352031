"""The worker may sign the SIP certificates of sites anew, and those that were signed before wait for it."""

from alembic import op

revision = "certificate_renewal"
down_revision = "redirect_services"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Grant what renewing takes, and ask for the renewal of what stands; one that comes early waits for its time."""
    op.execute(
        "grant update (sip_certificate, sip_certificate_issued, sip_key_id, sip_key_version, version, updated_at)"
        " on sites to tandem_worker"
    )
    op.execute("grant update (updated_at) on tenants to tandem_worker")  # whoever signs locks the authority's row
    op.execute("grant insert on secrets to tandem_worker")
    op.execute("select set_config('app.platform', 'on', true)")
    op.execute(
        "insert into jobs (id, tenant_id, kind, key, payload, run_at)"
        " select gen_random_uuid(), tenant_id, 'renew_certificate', id::text,"
        " jsonb_build_object('site_id', id::text), now() from sites where sip_certificate_issued"
    )
