"""Messages of mailboxes that are no user's, but several users': voice services of their site."""

import sqlalchemy as sa
from alembic import op

revision = "group_mailboxes"
down_revision = "call_qualities"
branch_labels = None
depends_on = None

_TABLE = "voicemail_messages"


def upgrade() -> None:
    """A message belongs to a user or to a mailbox of its site, one of them."""
    op.alter_column(_TABLE, "user_id", nullable=True)
    op.add_column(_TABLE, sa.Column("mailbox_id", sa.Text(), nullable=True))
    op.create_check_constraint(op.f(f"ck_{_TABLE}_whose"), _TABLE, "(user_id is null) <> (mailbox_id is null)")
    op.create_unique_constraint(
        op.f(f"uq_{_TABLE}_site_id_mailbox_id_message_id"), _TABLE, ["site_id", "mailbox_id", "message_id"]
    )
    op.create_index(
        op.f(f"ix_{_TABLE}_site_id_mailbox_id_received_at"), _TABLE, ["site_id", "mailbox_id", "received_at"]
    )
