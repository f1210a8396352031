"""Faxes among the messages of mailboxes, and what each edge's voice services run on."""

import sqlalchemy as sa
from alembic import op

revision = "fax"
down_revision = "sounds"
branch_labels = None
depends_on = None

_MESSAGES, _LEASES = "voicemail_messages", "edge_leases"


def upgrade() -> None:
    """Give messages what is known of a fax, and edges what they tell of their engine."""
    op.add_column(_MESSAGES, sa.Column("fax_pages", sa.Integer(), nullable=True))
    op.add_column(_MESSAGES, sa.Column("fax_station", sa.Text(), nullable=True))
    op.add_column(_MESSAGES, sa.Column("fax_complete", sa.Boolean(), nullable=True))
    op.add_column(_MESSAGES, sa.Column("fax_result", sa.Text(), nullable=True))
    op.add_column(_MESSAGES, sa.Column("sip_call_id", sa.Text(), nullable=True))
    # A Call-ID may be a thousand characters long, and an index takes none that cannot be compressed.
    op.create_index(
        f"ix_{_MESSAGES}_site_id_call",
        _MESSAGES,
        ["site_id", sa.text("md5(sip_call_id)")],
        postgresql_where=sa.text("sip_call_id is not null"),
    )
    op.add_column(_LEASES, sa.Column("media_engine", sa.Text(), server_default="", nullable=False))
    op.add_column(_LEASES, sa.Column("receives_fax", sa.Boolean(), nullable=True))
