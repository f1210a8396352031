"""`python -m cloud.models`: brings the database that the environment names to the newest schema."""

import pytest

from cloud.models.__main__ import main
from tests.support.postgres import Databases


def test_upgrading_and_checking_the_database_of_the_environment_succeeds(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", databases.urls.owner)
    assert main(["upgrade"]) == 0
    assert main(["check"]) == 0


def test_without_a_database_it_says_which_variable_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["upgrade"]) == 2
    assert "DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["downgrade"], ["upgrade", "twice"]])
def test_anything_else_is_answered_with_how_to_use_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
