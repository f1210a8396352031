"""Run by Alembic: hands it the connection that `cloud.models.upgrading` put into the configuration."""

from alembic import context
from sqlalchemy import Connection

from cloud.models import Base


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
