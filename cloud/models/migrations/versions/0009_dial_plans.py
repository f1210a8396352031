"""Dial plans, call assertions, and refused publications."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "dial_plans"
down_revision = "sip_policy"
branch_labels = None
depends_on = None

GRANTS = {
    "dial_plans": {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"},
    "call_assertions": {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"},
    "publish_refusals": {"tandem_api": "select", "tandem_worker": "select, insert, update, delete"},
}


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    op.create_table(
        "dial_plans",
        *_of_site("dial_plans"),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        *_versioned(),
        sa.CheckConstraint("pg_column_size(document) <= 4194304", name=op.f("ck_dial_plans_document")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_dial_plans")),
    )
    op.create_table(
        "call_assertions",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_site("call_assertions"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        *_versioned(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_assertions")),
    )
    op.create_index(op.f("ix_call_assertions_site_id"), "call_assertions", ["site_id"])
    op.create_table(
        "publish_refusals",
        *_of_site("publish_refusals"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("problems", postgresql.ARRAY(sa.Text()), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_publish_refusals")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    for table, grants in GRANTS.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
        for role, privileges in grants.items():
            op.execute(f"grant {privileges} on {table} to {role}")


def _of_site(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "site_id"],
            ["sites.tenant_id", "sites.id"],
            name=op.f(f"fk_{table}_tenant_id_site_id"),
            ondelete="CASCADE",
        ),
    ]


def _versioned() -> list[sa.schema.SchemaItem]:
    return [sa.Column("version", sa.Integer(), nullable=False), _moment("created_at"), _moment("updated_at")]


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
