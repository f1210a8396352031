"""`python -m cloud.api`: the first account, and the description."""

import io
import sys
from pathlib import Path

import pytest

from cloud.api.__main__ import main
from cloud.api.settings import PREFIX
from cloud.clock import SystemClock
from cloud.pbx.authority import Authority, FileAuthorityStore
from tests.support.api_world import ApiWorld
from tests.support.postgres import Databases


def test_bootstrap_makes_the_first_administrator_and_leaves_one_who_is_there_alone(
    world: ApiWorld,
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Authority.open(FileAuthorityStore(tmp_path / "ca.pem"), SystemClock().now())
    given = {
        "DATABASE_URL": databases.urls.api,
        "TOKEN_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "KEY_FILE": str(tmp_path / "key"),
        "CA_FILE": str(tmp_path / "ca.pem"),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    monkeypatch.setattr(sys, "argv", ["cloud.api", "bootstrap", "first@tandem.test"])
    for password in ("a very long password", "another password, which changes nothing"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        main()
    assert "nothing was changed" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["cloud.api", "bootstrap", "second@tandem.test"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    with pytest.raises(SystemExit, match="password: A password needs at least 12 characters"):
        main()
    answer = world.anyone.post("/sessions", {"email": "first@tandem.test", "password": "a very long password"})
    assert answer.status == 201
    assert answer.json["account"]["role"] == "platform_admin"


def test_the_description_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["cloud.api", "openapi"])
    main()
    assert capsys.readouterr().out.startswith('{\n  "openapi": "3.1')
