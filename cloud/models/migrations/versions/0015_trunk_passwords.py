"""Passwords of SIP trunks."""

import sqlalchemy as sa
from alembic import op

revision = "trunk_passwords"
down_revision = "voicemail_policy"
branch_labels = None
depends_on = None

GRANTS = {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"}


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    op.create_table(
        "trunk_passwords",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_trunk_passwords_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            name=op.f("fk_trunk_passwords_tenant_id_secret_id_secret_version"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("site_id", "gateway_id", name=op.f("pk_trunk_passwords")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table trunk_passwords enable row level security")
    op.execute("alter table trunk_passwords force row level security")
    op.execute(f"create policy trunk_passwords_scope on trunk_passwords using ({condition}) with check ({condition})")
    for role, privileges in GRANTS.items():
        op.execute(f"grant {privileges} on trunk_passwords to {role}")


def downgrade() -> None:
    """Take it away again; the secrets stay, and nothing refers to them."""
    op.drop_table("trunk_passwords")
