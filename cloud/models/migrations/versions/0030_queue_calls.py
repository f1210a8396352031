"""What became of the callers of call queues."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "queue_calls"
down_revision = "group_mailboxes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    table = "queue_calls"
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "tenant_id", "site_id", "edge_id")),
        *(sa.Column(one, sa.Text(), nullable=False) for one in ("call_id", "queue_id", "queue_name")),
        *(sa.Column(one, sa.Text(), nullable=False) for one in ("caller", "caller_name")),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(one, sa.Text(), nullable=False) for one in ("outcome", "sent_to")),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("wrap_up_seconds", sa.Float(), nullable=False),
        sa.Column("offers", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f(f"fk_{table}_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("site_id", "call_id", name=op.f(f"uq_{table}_site_id_call_id")),
    )
    op.create_index(f"ix_{table}_site_id_came_at", table, ["site_id", "came_at"])
    op.create_index(op.f(f"ix_{table}_tenant_id_agent_id"), table, ["tenant_id", "agent_id"])
    op.execute("alter table queue_calls enable row level security")
    op.execute("alter table queue_calls force row level security")
    op.execute(
        "create policy queue_calls_scope on queue_calls"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("grant select on queue_calls to tandem_api")
    op.execute("grant select, insert on queue_calls to tandem_worker")
