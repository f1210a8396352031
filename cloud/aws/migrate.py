"""`python -m cloud.aws.migrate`: roles, their passwords and the schema, as a task that ECS runs once for each release.

Unlike one machine, where every role has the administrator's password, each role here has its own, and the master user
of Aurora is the owner itself.
"""

import sys

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from cloud.aws.settings import MigrationPasswords, WrongAwsSettings
from cloud.models.upgrading import PROCESS_ROLES, ensure_roles, upgrade


def set_passwords(url: URL, settings: MigrationPasswords) -> None:
    """Give each role its password; PostgreSQL is sent the statement, so it must come over TLS."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for role, password in settings.passwords.items():
            # A password cannot be bound in DDL; `quote_literal` is the server's own quoting.
            quoted = connection.execute(text("select quote_literal(:password)"), {"password": password}).scalar_one()
            connection.exec_driver_sql(f"alter role {role} password {quoted}".replace("%", "%%"))


def main() -> int:
    """Run the migrations; 0 when the database has the newest schema."""
    try:
        settings = MigrationPasswords.from_environment(PROCESS_ROLES)
    except WrongAwsSettings as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    url = make_url(settings.database_url).set(username=settings.owner, password=settings.owner_password)
    address = url.render_as_string(hide_password=False)
    ensure_roles(address)
    set_passwords(url, settings)
    upgrade(address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
