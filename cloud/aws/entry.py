"""The handler of every Lambda: bring in secrets, teach the database driver IAM tokens, then become what was asked for.

Neighbours may rely on: when the code proper is imported, the environment holds all its settings; a database address
without a password, at RDS, is opened with a fresh IAM token each time (a token lives for fifteen minutes, a pool
longer).
"""

import importlib
import tempfile
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, Protocol

import boto3
from sqlalchemy import event
from sqlalchemy.engine import Engine

from cloud.aws.settings import AwsSettings, WrongAwsSettings, process_environment

RDS_SUFFIXES: Final = (".rds.amazonaws.com", ".rds.amazonaws.com.cn")

Handler = Callable[..., Any]


class ReadsSecrets(Protocol):
    """What is used of Secrets Manager's client."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]: ...  # noqa: N803  AWS names it so


class MakesTokens(Protocol):
    """What is used of RDS's client."""

    def generate_db_auth_token(self, *, DBHostname: str, Port: int, DBUsername: str) -> str: ...  # noqa: N803  likewise


def bring_secrets(settings: AwsSettings, client: ReadsSecrets, environ: MutableMapping[str, str]) -> None:
    """Put the value of each secret into the environment, under the name of its setting."""
    for setting, arn in settings.secrets.items():
        environ[setting] = str(client.get_secret_value(SecretId=arn)["SecretString"])


def bring_files(settings: AwsSettings, client: ReadsSecrets, environ: MutableMapping[str, str], folder: Path) -> None:
    """Write the value of each secret that is wanted as a file into `folder`, and its path into the environment.

    Args:
        folder: exists, and only this process's user reads it.
    """
    for setting, arn in settings.files.items():
        path = folder / setting.lower()
        path.touch(mode=0o600)
        path.write_text(str(client.get_secret_value(SecretId=arn)["SecretString"]))
        environ[setting] = str(path)


def add_token(parameters: dict[str, Any], client: MakesTokens) -> None:
    """Give a connection to RDS that has no password an IAM token in its place.

    Args:
        parameters: what the driver is about to connect with; changed in place.
    """
    host = str(parameters.get("host", ""))
    if parameters.get("password") or not host.endswith(RDS_SUFFIXES):
        return
    parameters["password"] = client.generate_db_auth_token(
        DBHostname=host, Port=int(parameters.get("port", 5432)), DBUsername=str(parameters["user"])
    )


def find_handler(entry: str) -> Handler:
    """The handler that `entry` names.

    Args:
        entry: `module:attribute`, or `module:app#name` for the authorizer `name` of a Chalice app.

    Raises:
        WrongAwsSettings: there is no such thing in the module.
    """
    target, _, authorizer = entry.partition("#")
    module, _, attribute = target.partition(":")
    found = getattr(importlib.import_module(module), attribute, None)
    if found is not None and authorizer:
        declared = (view.authorizer for methods in found.routes.values() for view in methods.values())
        found = next((one for one in declared if one is not None and one.name == authorizer), None)
    if not callable(found):
        raise WrongAwsSettings(f"TANDEM_AWS_ENTRY: {entry} is nothing that can be called")
    return found  # type: ignore[no-any-return]


def compose() -> Handler:
    """The composition root: everything above, with the real AWS."""
    settings = AwsSettings.from_environment()
    session = boto3.session.Session(region_name=settings.region)
    if settings.secrets or settings.files:
        vault = session.client("secretsmanager")
        bring_secrets(settings, vault, process_environment())
        # Lives as long as the process: Lambda's /tmp, or the memory that the hub's task is given.
        bring_files(settings, vault, process_environment(), Path(tempfile.mkdtemp(prefix="tandem-")))
    rds = session.client("rds")

    def on_connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        add_token(parameters, rds)

    event.listen(Engine, "do_connect", on_connect)
    return find_handler(settings.entry)


handler = compose()
