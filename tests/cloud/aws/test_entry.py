"""The adapter that every Lambda starts in, without AWS."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chalice.app import AuthResponse, Chalice

from cloud.aws.settings import AwsSettings, MigrationPasswords, WrongAwsSettings


class Vault:
    """Secrets Manager, as far as it is asked."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803  AWS names it so
        return {"SecretString": f"value of {SecretId}"}


class Rds:
    """RDS, as far as it is asked: a new token each time."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, str]] = []

    def generate_db_auth_token(self, *, DBHostname: str, Port: int, DBUsername: str) -> str:  # noqa: N803  likewise
        self.made.append((DBHostname, Port, DBUsername))
        return f"token {len(self.made)}"


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, imported as Lambda does it, for a handler that is always there."""
    monkeypatch.setenv("TANDEM_AWS_ENTRY", "json:dumps")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    sys.modules.pop("cloud.aws.entry", None)
    yield importlib.import_module("cloud.aws.entry")
    sys.modules.pop("cloud.aws.entry", None)


def test_settings_name_every_problem_at_once() -> None:
    with pytest.raises(WrongAwsSettings) as caught:
        AwsSettings.from_environment({"TANDEM_AWS_ENTRI": "typo"})
    assert all(word in str(caught.value) for word in ("TANDEM_AWS_ENTRI", "module:attribute", "AWS_REGION"))


def test_a_migration_names_every_password_that_it_misses_and_shows_none() -> None:
    with pytest.raises(WrongAwsSettings, match="TANDEM_API_PASSWORD"):
        MigrationPasswords.from_environment(("tandem_api",), {"DATABASE_URL": "x", "PGUSER": "o", "PGPASSWORD": "p"})
    given = {"DATABASE_URL": "x", "PGUSER": "o", "PGPASSWORD": "planted", "TANDEM_API_PASSWORD": "planted"}
    assert "planted" not in repr(MigrationPasswords.from_environment(("tandem_api",), given))


def test_secrets_become_the_settings_they_are_named_for(entry: ModuleType) -> None:
    settings = AwsSettings.from_environment(
        {"TANDEM_AWS_ENTRY": "a:b", "AWS_REGION": "r", "TANDEM_AWS_SECRET_TANDEM_API_TOKEN_KEY": "arn:key"}
    )
    environ: dict[str, str] = {}
    entry.bring_secrets(settings, Vault(), environ)
    assert environ == {"TANDEM_API_TOKEN_KEY": "value of arn:key"}


def test_a_secret_that_is_wanted_as_a_file_is_readable_to_nobody_else(entry: ModuleType, tmp_path: Path) -> None:
    settings = AwsSettings.from_environment(
        {"TANDEM_AWS_ENTRY": "a:b", "AWS_REGION": "r", "TANDEM_AWS_FILE_TANDEM_HUB_KEY_FILE": "arn:key"}
    )
    environ: dict[str, str] = {}
    entry.bring_files(settings, Vault(), environ, tmp_path)
    path = Path(environ["TANDEM_HUB_KEY_FILE"])
    assert path.read_text() == "value of arn:key"
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_connection_to_rds_without_a_password_gets_a_fresh_token(entry: ModuleType) -> None:
    rds = Rds()
    for number in (1, 2):
        parameters = {"host": "proxy.eu-central-1.rds.amazonaws.com", "user": "tandem_api", "port": 5432}
        entry.add_token(parameters, rds)
        assert parameters["password"] == f"token {number}"
    assert rds.made[0] == ("proxy.eu-central-1.rds.amazonaws.com", 5432, "tandem_api")


@pytest.mark.parametrize(
    "parameters",
    [{"host": "localhost", "user": "u"}, {"host": "x.rds.amazonaws.com", "user": "u", "password": "given"}, {}],
)
def test_other_connections_are_left_alone(entry: ModuleType, parameters: dict[str, Any]) -> None:
    before = dict(parameters)
    entry.add_token(parameters, Rds())
    assert parameters == before


def test_the_handler_is_what_the_entry_names(entry: ModuleType) -> None:
    assert entry.handler({"a": 1}) == '{"a": 1}'
    with pytest.raises(WrongAwsSettings, match="nothing that can be called"):
        entry.find_handler("json:nothing")


def test_a_chalice_authorizer_is_found_by_its_name(entry: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Chalice("test")

    @app.authorizer(name="authorize")
    def authorize(_request: object) -> AuthResponse:
        return AuthResponse(routes=["*"], principal_id="someone")

    @app.route("/sites", authorizer=authorize)
    def sites() -> list[str]:
        return []

    module = ModuleType("app_under_test")
    module.app = app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app_under_test", module)
    found = entry.find_handler("app_under_test:app#authorize")
    event = {"type": "TOKEN", "authorizationToken": "t", "methodArn": "arn:aws:execute-api:r:1:a/s/GET/sites"}
    assert found(event, None)["principalId"] == "someone"
    with pytest.raises(WrongAwsSettings):
        entry.find_handler("app_under_test:app#nobody")
