"""Recordings of calls that edges told of, and what of them is on its way."""

import sqlalchemy as sa
from alembic import op

revision = "call_recordings"
down_revision = "call_recording"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    table = "call_recordings"
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "tenant_id", "site_id", "edge_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("recording_id", "sip_call_id")),
        _moment("began_at"),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("object_digest", sa.Text(), nullable=True),
        _moment("stored_at", nullable=True),
        _moment("deleted_at", nullable=True),
        _moment("created_at", now=True),
        sa.CheckConstraint("size_bytes between 1 and 536870912", name=op.f(f"ck_{table}_size")),
        sa.CheckConstraint("received_bytes between 0 and size_bytes", name=op.f(f"ck_{table}_received")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{table}_tenant_id_id")),
        sa.UniqueConstraint("site_id", "recording_id", name=op.f(f"uq_{table}_site_id_recording_id")),
    )
    # A Call-ID may be a thousand characters long, and an index takes none that cannot be compressed.
    op.create_index(f"ix_{table}_site_id_call", table, ["site_id", sa.text("md5(sip_call_id)")])
    op.create_index(op.f(f"ix_{table}_edge_id_digest"), table, ["edge_id", "digest"])
    pieces = "call_recording_pieces"
    op.create_table(
        pieces,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "call_recording_id")),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "call_recording_id"],
            [f"{table}.tenant_id", f"{table}.id"],
            name=op.f(f"fk_{pieces}_tenant_id_call_recording_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("call_recording_id", "place", name=op.f(f"pk_{pieces}")),
    )
    op.execute("alter table call_recordings enable row level security")
    op.execute("alter table call_recordings force row level security")
    op.execute(
        "create policy call_recordings_scope on call_recordings"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("alter table call_recording_pieces enable row level security")
    op.execute("alter table call_recording_pieces force row level security")
    op.execute(
        "create policy call_recording_pieces_scope on call_recording_pieces"
        " using (tenant_id = any ((select app_tenants())::uuid[]))"
        " with check (tenant_id = any ((select app_tenants())::uuid[]))"
    )
    op.execute("grant select, update on call_recordings to tandem_api")
    op.execute("grant select, update, delete on call_recordings to tandem_hub")
    op.execute("grant select, insert, update, delete on call_recordings to tandem_worker")
    op.execute("grant select, delete on call_recording_pieces to tandem_api")
    op.execute("grant select, insert, delete on call_recording_pieces to tandem_hub")
