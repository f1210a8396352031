"""Where edges listen for the tenant's other sites."""

import sqlalchemy as sa
from alembic import op

revision = "site_links"
down_revision = "firmware"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("edges", sa.Column("sip_host", sa.Text(), nullable=True))
    op.add_column("edges", sa.Column("sip_port", sa.Integer(), server_default="5063", nullable=False))
