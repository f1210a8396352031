"""Lines that several phones share."""

import sqlalchemy as sa
from alembic import op

revision = "shared_lines"
down_revision = "number_pools"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no line is shared."""
    op.add_column("users", sa.Column("appearances", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("users", "appearances")
