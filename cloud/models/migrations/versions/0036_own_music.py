"""Users have music of their own for those whom they hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "own_music"
down_revision = "queue_calls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whoever has none plays what the site plays."""
    op.add_column("users", sa.Column("music", postgresql.JSONB(), nullable=True))
