"""Transactions with a scope: what the database lets a transaction see follows from whose request it serves.

database = Database(url)
with database.session(Scope(tenant_id=tenant)) as session:
    ...  # one transaction: committed at the end, rolled back by an exception
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

JOBS_CHANNEL = "tandem_jobs"
"""A job was written to the outbox."""
SITE_CHANNEL = "tandem_site"
"""Payload: id of a site with a new snapshot version, state, command or edge change."""
EVENTS_CHANNEL = "tandem_events"
"""The inbox has events, or an edge came or went."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees: one tenant's, those of an MSP's tenants, or everybody's. None set: no rows."""

    tenant_id: UUID | None = None
    msp_id: UUID | None = None
    platform: bool = False


NOBODY = Scope()
"""Before it is known who asks: only the functions that find that out answer."""
PLATFORM = Scope(platform=True)


class Database:
    """One database, as one role.

    Args:
        url: such as `postgresql+psycopg://tandem_api@/tandem?host=/run/tandem`.
        pool_size: connections kept open; twice as many at most.
    """

    def __init__(self, url: str, pool_size: int = 5) -> None:
        # No server-side prepared statements: behind RDS Proxy they would pin connections.
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            pool_recycle=600,
            hide_parameters=True,  # errors are logged; what was bound may be a secret
            connect_args={"prepare_threshold": None, "connect_timeout": 5},
        )
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self._url = make_url(url)

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)})"

    @contextmanager
    def session(
        self, scope: Scope = NOBODY, isolation: Literal["READ COMMITTED", "REPEATABLE READ"] = "READ COMMITTED"
    ) -> Iterator[Session]:
        """One transaction, committed when the block ends and rolled back when it raises."""
        with self._sessions() as session:
            if isolation != "READ COMMITTED":
                session.connection(execution_options={"isolation_level": isolation})
            set_scope(session, scope)
            yield session
            session.commit()

    def listen(self, *channels: str) -> psycopg.Connection[Any]:
        """A connection of its own that receives notifications of these channels; the caller closes it.

        `connection.notifies(timeout=1.0)` gives them; polling is the truth all the same.
        """
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True, connect_timeout=5)
        for channel in channels:
            connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        return connection

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()


def set_scope(session: Session, scope: Scope) -> None:
    """Set whose rows the rest of this transaction sees."""
    session.execute(
        text(
            "select set_config('app.tenant_id', :tenant, true), set_config('app.msp_id', :msp, true),"
            " set_config('app.platform', :platform, true)"
        ),
        {
            "tenant": str(scope.tenant_id or ""),
            "msp": str(scope.msp_id or ""),
            "platform": "on" if scope.platform else "",
        },
    )


def notify(session: Session, channel: str, payload: str = "") -> None:
    """Wake whoever listens on `channel`, once this transaction commits."""
    session.execute(text("select pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})
