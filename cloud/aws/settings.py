"""What a Lambda (or the hub's task) is told by AWS and Terraform before the code proper reads its own settings."""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final, Self

from cloud.errors import CloudError

PREFIX: Final = "TANDEM_AWS_"
SECRET_PREFIX: Final = f"{PREFIX}SECRET_"
FILE_PREFIX: Final = f"{PREFIX}FILE_"


class WrongAwsSettings(CloudError):
    """The Lambda's environment does not say what to run."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What to run, and which settings are kept in Secrets Manager.

    Args:
        entry: `TANDEM_AWS_ENTRY`, `module:attribute`, with `#name` for an authorizer of a Chalice app.
        secrets: setting → ARN of the secret that holds its value, from `TANDEM_AWS_SECRET_<SETTING>`.
        files: likewise for settings that name a file, from `TANDEM_AWS_FILE_<SETTING>`.
        region: `AWS_REGION`, which Lambda and ECS set.
    """

    entry: str
    secrets: Mapping[str, str]
    files: Mapping[str, str]
    region: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment once.

        Raises:
            WrongAwsSettings: naming what is missing or unknown.
        """
        source = os.environ if environ is None else environ
        entry, region = source.get(f"{PREFIX}ENTRY", ""), source.get("AWS_REGION", "")
        secrets = {name[len(SECRET_PREFIX) :]: arn for name, arn in source.items() if name.startswith(SECRET_PREFIX)}
        files = {name[len(FILE_PREFIX) :]: arn for name, arn in source.items() if name.startswith(FILE_PREFIX)}
        problems = [
            f"{name}: unknown"
            for name in source
            if name.startswith(PREFIX)
            and not name.startswith((SECRET_PREFIX, FILE_PREFIX))
            and name != f"{PREFIX}ENTRY"
        ]
        if ":" not in entry:
            problems.append(f"{PREFIX}ENTRY: must be module:attribute")
        if not region:
            problems.append("AWS_REGION: missing")
        if problems:
            raise WrongAwsSettings("; ".join(problems))
        return cls(entry, secrets, files, region)


def process_environment() -> MutableMapping[str, str]:
    """The environment of this process, for what AWS keeps elsewhere to be put into it at the start."""
    return os.environ


@dataclass(frozen=True, slots=True)
class MigrationPasswords:
    """What the migration task is handed by ECS: the database, its owner's log-in and the passwords of the roles.

    Args:
        database_url: `DATABASE_URL`; user and password come from `PGUSER` and `PGPASSWORD`.
        passwords: role → password, from `<ROLE>_PASSWORD`.
    """

    database_url: str
    owner: str
    owner_password: str
    passwords: Mapping[str, str]

    def __repr__(self) -> str:
        return f"MigrationPasswords(roles={sorted(self.passwords)})"

    @classmethod
    def from_environment(cls, roles: tuple[str, ...], environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment once.

        Raises:
            WrongAwsSettings: naming every variable that is missing.
        """
        source = os.environ if environ is None else environ
        variables = ["DATABASE_URL", "PGUSER", "PGPASSWORD", *(f"{role.upper()}_PASSWORD" for role in roles)]
        missing = [name for name in variables if not source.get(name)]
        if missing:
            raise WrongAwsSettings("; ".join(f"{name}: missing" for name in missing))
        passwords = {role: source[f"{role.upper()}_PASSWORD"] for role in roles}
        return cls(source["DATABASE_URL"], source["PGUSER"], source["PGPASSWORD"], passwords)
