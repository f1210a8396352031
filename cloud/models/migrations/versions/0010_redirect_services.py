"""Accounts at vendors' redirect services, and what those are told of phones."""

import sqlalchemy as sa
from alembic import op

revision = "redirect_services"
down_revision = "dial_plans"
branch_labels = None
depends_on = None

GRANTS = {
    "redirect_accounts": {"tandem_api": "select, insert, update, delete", "tandem_worker": "select, update"},
    "device_redirects": {
        "tandem_api": "select, update, delete",
        "tandem_worker": "select, insert, update, delete",
    },
}


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    op.create_table(
        "redirect_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("vendor", "service", "api_url", "phones_url", "username")
        ),
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("check_state", sa.Text(), server_default="", nullable=False),
        sa.Column("check_text", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.CheckConstraint(
            "check_state in ('', 'pending', 'good', 'bad')", name=op.f("ck_redirect_accounts_check_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_redirect_accounts_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            name=op.f("fk_redirect_accounts_tenant_id_secret_id_secret_version"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redirect_accounts")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_redirect_accounts_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "vendor", name=op.f("uq_redirect_accounts_tenant_id_vendor")),
    )
    op.create_table(
        "device_redirects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("problem_text", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("next_attempt_at", "attempted_at", "pushed_at")
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state in ('pending', 'pushed', 'removing', 'failed')", name=op.f("ck_device_redirects_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["redirect_accounts.tenant_id", "redirect_accounts.id"],
            name=op.f("fk_device_redirects_tenant_id_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_redirects")),
        sa.UniqueConstraint("account_id", "mac", name=op.f("uq_device_redirects_account_id_mac")),
    )
    op.create_index("ix_device_redirects_tenant_id_mac", "device_redirects", ["tenant_id", "mac"])
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    for table, grants in GRANTS.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
        for role, privileges in grants.items():
            op.execute(f"grant {privileges} on {table} to {role}")
