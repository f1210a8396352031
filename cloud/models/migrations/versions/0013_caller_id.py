"""What each user's calls to the outside show."""

import sqlalchemy as sa
from alembic import op

revision = "caller_id"
down_revision = "phone_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; calls go on as they did."""
    op.add_column("users", sa.Column("caller_id", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("anonymous", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("users", "anonymous")
    op.drop_column("users", "caller_id")
