"""Phonebooks of sites."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "phonebook"
down_revision = "trunk_passwords"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, close it, and open it to whom it concerns."""
    op.create_table(
        "phonebook_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f("fk_phonebook_entries_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phonebook_entries")),
    )
    op.create_index(op.f("ix_phonebook_entries_site_id"), "phonebook_entries", ["site_id"])
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    op.execute("alter table phonebook_entries enable row level security")
    op.execute("alter table phonebook_entries force row level security")
    op.execute(
        f"create policy phonebook_entries_scope on phonebook_entries using ({condition}) with check ({condition})"
    )
    op.execute("grant select, insert, update, delete on phonebook_entries to tandem_api")
    op.execute("grant select on phonebook_entries to tandem_worker")
