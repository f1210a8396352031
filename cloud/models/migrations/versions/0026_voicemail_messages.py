"""Messages of mailboxes, their recordings, and what users want mailed of them."""

import sqlalchemy as sa
from alembic import op

revision = "voicemail_messages"
down_revision = "shared_lines"
branch_labels = None
depends_on = None

_RIGHTS: dict[str, dict[str, str]] = {
    "voicemail_messages": {
        "tandem_api": "select, update",
        "tandem_hub": "select, delete",
        "tandem_worker": "select, insert, update, delete",
    },
    "voicemail_recordings": {
        "tandem_api": "select, delete",
        "tandem_hub": "select, update, delete",
        "tandem_worker": "select, insert, update",
    },
    "voicemail_pieces": {"tandem_hub": "select, insert, delete"},
    "voicemail_mails": {"tandem_api": "select, insert, update, delete", "tandem_worker": "select"},
}


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _belongs_to(table: str, other: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def _messages() -> None:
    table = "voicemail_messages"
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "tenant_id", "site_id", "edge_id", "user_id")),
        _text("message_id"),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        _text("node"),
        _text("folder"),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        _text("caller_number"),
        _text("caller_name"),
        sa.Column("caller_user_id", sa.Uuid(), nullable=True),
        _text("forwarded_by"),
        _moment("received_at"),
        sa.Column("duration_seconds", sa.Float(), nullable=False),
        _moment("deleted_at", nullable=True),
        _text("digest"),
        _text("comment_digest", nullable=True),
        _moment("created_at", now=True),
        sa.CheckConstraint("folder in ('inbox', 'saved', 'deleted')", name=op.f(f"ck_{table}_folder")),
        _belongs_to(table, "sites", "site_id"),
        _belongs_to(table, "users", "user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("user_id", "message_id", name=op.f(f"uq_{table}_user_id_message_id")),
    )
    op.create_index(f"ix_{table}_user_id_received_at", table, ["user_id", "received_at"])
    op.create_index(op.f(f"ix_{table}_tenant_id_digest"), table, ["tenant_id", "digest"])
    op.create_index(op.f(f"ix_{table}_tenant_id_comment_digest"), table, ["tenant_id", "comment_digest"])
    op.create_index(op.f(f"ix_{table}_site_id"), table, ["site_id"])


def _recordings() -> None:
    table = "voicemail_recordings"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _text("digest"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("stored_at", nullable=True),
        _moment("created_at", now=True),
        sa.CheckConstraint("size_bytes between 1 and 67108864", name=op.f(f"ck_{table}_size")),
        sa.CheckConstraint("received_bytes between 0 and size_bytes", name=op.f(f"ck_{table}_received")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f(f"pk_{table}")),
    )
    op.create_table(
        "voicemail_pieces",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _text("digest"),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "digest"],
            [f"{table}.tenant_id", f"{table}.digest"],
            name=op.f("fk_voicemail_pieces_tenant_id_digest"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", "first", name=op.f("pk_voicemail_pieces")),
    )


def upgrade() -> None:
    """Make the tables, close them, and open them to whom they concern."""
    _messages()
    _recordings()
    table = "voicemail_mails"
    op.create_table(
        table,
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _text("address"),
        _text("recording"),
        _text("format"),
        sa.Column("delete_after", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("recording in ('none', 'attach', 'link')", name=op.f(f"ck_{table}_recording")),
        sa.CheckConstraint("format in ('full', 'medium', 'brief')", name=op.f(f"ck_{table}_format")),
        _belongs_to(table, "users", "user_id"),
        sa.PrimaryKeyConstraint("user_id", name=op.f(f"pk_{table}")),
    )
    condition = "tenant_id = any ((select app_tenants())::uuid[])"
    for name, rights in _RIGHTS.items():
        op.execute(f"alter table {name} enable row level security")
        op.execute(f"alter table {name} force row level security")
        op.execute(f"create policy {name}_scope on {name} using ({condition}) with check ({condition})")
        for role, granted in rights.items():
            op.execute(f"grant {granted} on {name} to {role}")
    op.execute("grant insert, select on commands to tandem_worker")
