"""Which conference a recording is of."""

import sqlalchemy as sa
from alembic import op

revision = "conference_recordings"
down_revision = "fax"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Recordings that are there are of calls."""
    for name in ("room_id", "room_name"):
        op.add_column("call_recordings", sa.Column(name, sa.Text(), nullable=True))
