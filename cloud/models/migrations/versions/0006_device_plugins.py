"""Device plug-ins that operators bring."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "device_plugins"
down_revision = "phones_at_the_edge"
branch_labels = None
depends_on = None

GRANTS = {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"}


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    op.create_table(
        "device_plugins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("models", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.CheckConstraint("octet_length(content) <= 262144", name=op.f("ck_device_plugins_content")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_device_plugins_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_plugins")),
        sa.UniqueConstraint("tenant_id", "vendor", name=op.f("uq_device_plugins_tenant_id_vendor")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table device_plugins enable row level security")
    op.execute("alter table device_plugins force row level security")
    op.execute(f"create policy device_plugins_scope on device_plugins using ({condition}) with check ({condition})")
    for role, privileges in GRANTS.items():
        op.execute(f"grant {privileges} on device_plugins to {role}")
