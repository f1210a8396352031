"""Calls for help, and where each device is."""

import sqlalchemy as sa
from alembic import op

revision = "emergencies"
down_revision = "phonebook"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; make the table, close it, and open it to whom it concerns."""
    op.add_column("devices", sa.Column("emergency_location_id", sa.Text(), nullable=True))
    op.create_table(
        "emergency_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=True),
        sa.Column("location_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_emergency_calls_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_calls")),
        sa.UniqueConstraint("site_id", "call_id", name=op.f("uq_emergency_calls_site_id_call_id")),
    )
    op.create_index("ix_emergency_calls_tenant_id_at", "emergency_calls", ["tenant_id", "at"])
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table emergency_calls enable row level security")
    op.execute("alter table emergency_calls force row level security")
    op.execute(f"create policy emergency_calls_scope on emergency_calls using ({condition}) with check ({condition})")
    op.execute("grant select on emergency_calls to tandem_api")
    op.execute("grant select, insert, update, delete on emergency_calls to tandem_worker")
