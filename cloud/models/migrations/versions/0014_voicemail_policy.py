"""What each site decides about its voicemail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "voicemail_policy"
down_revision = "caller_id"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who may change a site may change this too."""
    column = sa.Column("voicemail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("sites", column)
