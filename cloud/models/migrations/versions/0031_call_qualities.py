"""How well the sides of calls were heard."""

import sqlalchemy as sa
from alembic import op

revision = "call_qualities"
down_revision = "voicemail_messages"
branch_labels = None
depends_on = None

_MEASURED = ("lost_percent", "late_percent", "jitter_ms", "longest_jitter_ms", "round_trip_ms", "mos")


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    table = "call_qualities"
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "tenant_id", "site_id", "edge_id")),
        sa.Column("sip_call_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("codec", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("packets", "lost")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in _MEASURED),
        sa.CheckConstraint("source in ('engine', 'relay', 'phone')", name=op.f(f"ck_{table}_source")),
        sa.CheckConstraint("heard in ('caller', 'callee')", name=op.f(f"ck_{table}_heard")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f(f"fk_{table}_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    # A Call-ID may be a thousand characters long, and an index takes none that cannot be compressed.
    op.create_index(f"ix_{table}_site_id_call", table, ["site_id", sa.text("md5(sip_call_id)")])
    op.execute("alter table call_qualities enable row level security")
    op.execute("alter table call_qualities force row level security")
    op.execute(
        "create policy call_qualities_scope on call_qualities"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("grant select on call_qualities to tandem_api")
    op.execute("grant select, insert on call_qualities to tandem_worker")
