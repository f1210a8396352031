"""Ranges of numbers that tenants have from their providers."""

import sqlalchemy as sa
from alembic import op

revision = "number_pools"
down_revision = "site_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    op.create_table(
        "number_pools",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.CheckConstraint("count between 1 and 10000", name=op.f("ck_number_pools_count")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_number_pools_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_pools")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table number_pools enable row level security")
    op.execute("alter table number_pools force row level security")
    op.execute(f"create policy number_pools_scope on number_pools using ({condition}) with check ({condition})")
    op.execute("grant select, insert, update, delete on number_pools to tandem_api")
