"""`python -m cloud.models upgrade`: bring the database named by DATABASE_URL to the newest schema."""

import sys

from cloud.models.settings import MigrationSettings, MissingSetting
from cloud.models.upgrading import check, upgrade


def main(arguments: list[str]) -> int:
    """Run one sub-command; 0 when it held."""
    commands = {"upgrade": upgrade, "check": check}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write("usage: python -m cloud.models upgrade|check\n")
        return 2
    try:
        settings = MigrationSettings.from_environment()
    except MissingSetting as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    commands[arguments[0]](settings.database_url)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
