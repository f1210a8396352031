"""Find what edges told of faxes that did not come by the calls that they were."""

import sqlalchemy as sa
from alembic import op

revision = "failed_faxes"
down_revision = "conference_recordings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_events_failed_faxes",
        "events",
        ["site_id", sa.text("md5(payload #>> '{what,sip_call_id}')")],
        postgresql_where=sa.text("kind = 'fax_failed'"),
    )
