"""What edges tell about phones, orders to fetch again, and each site's rules for who may fetch what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "phones_at_the_edge"
down_revision = "device_levels"
branch_labels = None
depends_on = None

TABLES = ("device_visits", "phone_refusals", "phone_uploads", "resync_jobs", "resync_items")
GRANTS = {
    "tandem_api": {
        "select": "device_visits phone_uploads",
        "select, update, delete": "phone_refusals",
        "select, insert, update, delete": "resync_jobs resync_items",
    },
    "tandem_worker": {
        "select, insert, update": "device_visits phone_refusals phone_uploads resync_items",
        "select": "resync_jobs",
        "update": "devices",
    },
}


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    op.create_table(
        "device_visits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        *(_text(name, "") for name in ("address", "protocol", "proof", "user_agent", "model", "firmware")),
        _moment("fetched_at", nullable=True),
        sa.Column("fetched_version", sa.Integer(), nullable=True),
        _text("resync_state", ""),
        _text("resync_text", ""),
        _moment("resync_at", nullable=True),
        _of("device_visits", "devices", "device_id"),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_visits")),
    )
    op.create_index(op.f("ix_device_visits_tenant_id_site_id"), "device_visits", ["tenant_id", "site_id"])
    op.create_table(
        "phone_refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.Uuid(), nullable=False),
        _text("reason"),
        _text("identity"),
        sa.Column("mac", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        *(_text(name) for name in ("address", "protocol", "user_agent")),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        _of("phone_refusals", "sites", "site_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_refusals")),
        sa.UniqueConstraint("site_id", "reason", "identity", name=op.f("uq_phone_refusals_site_id_reason_identity")),
    )
    op.create_index("ix_phone_refusals_tenant_id_last_seen_at", "phone_refusals", ["tenant_id", "last_seen_at"])
    op.create_table(
        "phone_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        _text("name"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _moment("sent_at"),
        _of("phone_uploads", "devices", "device_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_uploads")),
        sa.UniqueConstraint("device_id", "name", name=op.f("uq_phone_uploads_device_id_name")),
    )
    op.create_table(
        "resync_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("reboot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _of("resync_jobs", "sites", "site_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resync_jobs")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_resync_jobs_tenant_id_id")),
    )
    op.create_index(op.f("ix_resync_jobs_tenant_id_site_id"), "resync_jobs", ["tenant_id", "site_id"])
    op.create_table(
        "resync_items",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        _text("state", "waiting"),
        _text("text", ""),
        _moment("changed_at"),
        _of("resync_items", "resync_jobs", "job_id"),
        _of("resync_items", "devices", "device_id"),
        sa.PrimaryKeyConstraint("job_id", "device_id", name=op.f("pk_resync_items")),
    )
    op.create_index(op.f("ix_resync_items_device_id"), "resync_items", ["device_id"])
    op.add_column("unknown_phones", _json("certainty"))
    op.add_column("unknown_phones", _text("switch_port", ""))
    op.add_column("sites", _json("provisioning"))
    for table in TABLES:
        condition = "tenant_id = any ((select app_tenants())::uuid[])"
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
    for role, grants in GRANTS.items():
        for privileges, tables in grants.items():
            op.execute(f"grant {privileges} on {', '.join(tables.split())} to {role}")


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of(table: str, other: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )
