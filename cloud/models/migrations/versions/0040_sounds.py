"""Sound files that tenants keep by name."""

import sqlalchemy as sa
from alembic import op

revision = "sounds"
down_revision = "call_recordings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    op.create_table(
        "sounds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("digest", "name")),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_sounds_seconds")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sounds_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "digest"], ["blobs.tenant_id", "blobs.digest"], name=op.f("fk_sounds_tenant_id_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sounds")),
        sa.UniqueConstraint("tenant_id", "digest", name=op.f("uq_sounds_tenant_id_digest")),
    )
    op.execute("alter table sounds enable row level security")
    op.execute("alter table sounds force row level security")
    op.execute(
        "create policy sounds_scope on sounds"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("grant select, insert, update, delete on sounds to tandem_api")
    op.execute("grant select on sounds to tandem_worker")
