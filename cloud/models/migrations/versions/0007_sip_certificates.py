"""What each site's edge shows to SIP phones, and the authority of each tenant that may sign it."""

import sqlalchemy as sa
from alembic import op

revision = "sip_certificates"
down_revision = "device_plugins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; certificates are public, their keys are secrets."""
    op.add_column("sites", sa.Column("sip_certificate", sa.Text(), nullable=True))
    op.add_column(
        "sites", sa.Column("sip_certificate_issued", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("sites", sa.Column("sip_key_id", sa.Uuid(), nullable=True))
    op.add_column("sites", sa.Column("sip_key_version", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_sites_sip_certificate"),
        "sites",
        "sip_certificate is null or octet_length(sip_certificate) <= 32768",
    )
    op.create_check_constraint(
        op.f("ck_sites_sip_key"), "sites", "(sip_certificate is null) = (sip_key_version is null)"
    )
    op.create_foreign_key(
        op.f("fk_sites_tenant_id_sip_key_id_sip_key_version"),
        "sites",
        "secrets",
        ["tenant_id", "sip_key_id", "sip_key_version"],
        ["tenant_id", "id", "version"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.add_column("tenants", sa.Column("sip_authority", sa.Text(), nullable=True))
    op.add_column("tenants", sa.Column("sip_authority_key_id", sa.Uuid(), nullable=True))
    op.add_column("tenants", sa.Column("sip_authority_key_version", sa.Integer(), nullable=True))
