"""Which calls each site records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "call_recording"
down_revision = "voicemail_imaps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who may change a site may change this too."""
    column = sa.Column("recording", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("sites", column)
