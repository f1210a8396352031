"""Files in the object store, firmware, its rollouts and how far phones are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "firmware"
down_revision = "emergencies"
branch_labels = None
depends_on = None

_API: dict[str, str] = {
    "blobs": "select, insert, update, delete",
    "firmware": "select, insert, update, delete",
    "firmware_files": "select, insert, update, delete",
    "firmware_rollouts": "select, insert, update, delete",
    "firmware_progress": "select",
    "edge_blobs": "select",
}
_WORKER: dict[str, str] = {
    "blobs": "select",
    "firmware": "select",
    "firmware_files": "select",
    "firmware_rollouts": "select",
    "firmware_progress": "select, insert, update, delete",
    "edge_blobs": "select, insert, update, delete",
}


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
    )


def _belongs_to(table: str, other: str, column: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def _times() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    ]


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    op.create_table(
        "blobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _text("digest"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_blobs_digest")),
        sa.CheckConstraint("size_bytes between 1 and 536870912", name=op.f("ck_blobs_size")),
        _of_tenant("blobs"),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_blobs")),
    )
    op.create_table(
        "firmware",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _text("vendor"),
        sa.Column("models", postgresql.ARRAY(sa.Text()), nullable=False),
        _text("firmware_version"),
        _text("notes", ""),
        *_times(),
        _of_tenant("firmware"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firmware")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_firmware_tenant_id_id")),
    )
    op.create_index("ix_firmware_tenant_id_vendor", "firmware", ["tenant_id", "vendor"])
    op.create_table(
        "firmware_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("firmware_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("name"),
        _text("digest"),
        _belongs_to("firmware_files", "firmware", "firmware_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "digest"],
            ["blobs.tenant_id", "blobs.digest"],
            name=op.f("fk_firmware_files_tenant_id_digest"),
        ),
        sa.PrimaryKeyConstraint("firmware_id", "position", name=op.f("pk_firmware_files")),
        sa.UniqueConstraint("firmware_id", "name", name=op.f("uq_firmware_files_firmware_id_name")),
    )
    op.create_index("ix_firmware_files_tenant_id_digest", "firmware_files", ["tenant_id", "digest"])
    op.create_table(
        "firmware_rollouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("firmware_id", sa.Uuid(), nullable=False),
        _text("state", "running"),
        sa.Column("rings", postgresql.JSONB(), nullable=False),
        *_times(),
        sa.CheckConstraint("state in ('running', 'paused', 'ended')", name=op.f("ck_firmware_rollouts_state")),
        _of_tenant("firmware_rollouts"),
        _belongs_to("firmware_rollouts", "firmware", "firmware_id", "NO ACTION"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firmware_rollouts")),
    )
    op.create_index("ix_firmware_rollouts_tenant_id_state", "firmware_rollouts", ["tenant_id", "state"])
    op.create_table(
        "firmware_progress",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("firmware_id", sa.Uuid(), nullable=False),
        _text("state"),
        _text("running_version", ""),
        _text("text", ""),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _belongs_to("firmware_progress", "devices", "device_id"),
        _belongs_to("firmware_progress", "firmware", "firmware_id"),
        sa.PrimaryKeyConstraint("device_id", "firmware_id", name=op.f("pk_firmware_progress")),
    )
    op.create_index("ix_firmware_progress_firmware_id", "firmware_progress", ["firmware_id"])
    op.create_table(
        "edge_blobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("edge_id", sa.Uuid(), nullable=False),
        _text("digest"),
        _text("state"),
        _text("text", ""),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _belongs_to("edge_blobs", "edges", "edge_id"),
        sa.PrimaryKeyConstraint("edge_id", "digest", name=op.f("pk_edge_blobs")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    for table, rights in _API.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy {table}_scope on {table} using ({condition}) with check ({condition})")
        op.execute(f"grant {rights} on {table} to tandem_api")
        op.execute(f"grant {_WORKER[table]} on {table} to tandem_worker")
