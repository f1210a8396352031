"""What happened to each phone, its serial number, and the switch port that it was last seen at."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "phone_history"
down_revision = "certificate_renewal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; make the table, close it, and open it to whom it concerns."""
    op.add_column("devices", sa.Column("serial", sa.Text(), server_default="", nullable=False))
    op.add_column("device_visits", sa.Column("switch_port", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "device_happenings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["devices.tenant_id", "devices.id"],
            name=op.f("fk_device_happenings_tenant_id_device_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_happenings")),
    )
    op.create_index("ix_device_happenings_device_id_at", "device_happenings", ["device_id", "at"])
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table device_happenings enable row level security")
    op.execute("alter table device_happenings force row level security")
    op.execute(
        f"create policy device_happenings_scope on device_happenings using ({condition}) with check ({condition})"
    )
    op.execute("grant select, insert, update, delete on device_happenings to tandem_api, tandem_worker")
