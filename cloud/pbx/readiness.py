"""Whether the database can be asked."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.pbx.database import Database


def database_answers(database: Database) -> bool:
    """Whether a trivial question is answered."""
    try:
        with database.session() as session:
            session.execute(text("select 1"))
    except DBAPIError:
        return False
    return True
