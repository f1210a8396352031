"""What each site decides about its SIP."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sip_policy"
down_revision = "sip_certificates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who may change a site may change this too."""
    column = sa.Column("sip", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("sites", column)
