"""IMAP mailboxes that users have voicemail put into."""

import sqlalchemy as sa
from alembic import op

revision = "voicemail_imaps"
down_revision = "own_music"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    table = "voicemail_imaps"
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("user_id", "tenant_id")),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("security", "username")),
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("delete_after", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("security in ('tls', 'starttls')", name=op.f(f"ck_{table}_security")),
        sa.CheckConstraint("port between 1 and 65535", name=op.f(f"ck_{table}_port")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f(f"fk_{table}_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "secret_id", "secret_version"],
            ["secrets.tenant_id", "secrets.id", "secrets.version"],
            name=op.f(f"fk_{table}_tenant_id_secret_id_secret_version"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f(f"pk_{table}")),
    )
    op.execute("alter table voicemail_imaps enable row level security")
    op.execute("alter table voicemail_imaps force row level security")
    op.execute(
        "create policy voicemail_imaps_scope on voicemail_imaps"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("grant select, insert, update, delete on voicemail_imaps to tandem_api")
    op.execute("grant select, update (problem, tried_at) on voicemail_imaps to tandem_worker")
