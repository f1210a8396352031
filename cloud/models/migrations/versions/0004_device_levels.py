"""What is set for many devices at once: on tenants, on sites, and on groups of devices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "device_levels"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("device_groups", "device_group_members")
GRANTS = {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"}


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    op.add_column("tenants", _settings("device_settings"))
    op.add_column("sites", _settings("device_settings"))
    op.create_table(
        "device_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _settings("settings"),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.CheckConstraint("weight between 0 and 10000", name=op.f("ck_device_groups_weight")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_device_groups_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_groups")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_device_groups_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_device_groups_tenant_id_name")),
    )
    op.create_table(
        "device_group_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{table}.tenant_id", f"{table}.id"],
                name=op.f(f"fk_device_group_members_tenant_id_{column}"),
                ondelete="CASCADE",
            )
            for table, column in (("device_groups", "group_id"), ("devices", "device_id"))
        ),
        sa.PrimaryKeyConstraint("group_id", "device_id", name=op.f("pk_device_group_members")),
    )
    op.create_index(op.f("ix_device_group_members_device_id"), "device_group_members", ["device_id"])
    for table in TABLES:
        condition = "tenant_id = any ((select app_tenants())::uuid[])"
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
    for role, privileges in GRANTS.items():
        op.execute(f"grant {privileges} on {', '.join(TABLES)} to {role}")


def _settings(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
