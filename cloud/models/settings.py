"""What migrations need to know from the environment."""

import os
from dataclasses import dataclass
from typing import Self


class MissingSetting(ValueError):
    """A setting that has no default is not in the environment."""


@dataclass(frozen=True, slots=True)
class MigrationSettings:
    """Where the database is.

    Args:
        database_url: `DATABASE_URL`, an address such as `postgresql+psycopg://tandem_owner@host/tandem`.
    """

    database_url: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment once.

        Raises:
            MissingSetting: `DATABASE_URL` is not set.
        """
        url = os.environ.get("DATABASE_URL", "")
        if not url:
            raise MissingSetting("DATABASE_URL is not set; it names the database, as the role tandem_owner")
        return cls(url)
