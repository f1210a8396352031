"""Keep with each recording how it is drawn, so that nobody has to read all of it for that."""

import sqlalchemy as sa
from alembic import op

revision = "waveforms"
down_revision = "failed_faxes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("call_recordings", sa.Column("peaks", sa.LargeBinary(), nullable=True))
