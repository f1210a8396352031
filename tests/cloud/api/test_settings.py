"""What the process is told, and how Lambda finds the application."""

import importlib
from pathlib import Path

import pytest

from cloud.api.settings import PREFIX, Settings, WrongSettings, read_settings
from cloud.clock import SystemClock
from cloud.pbx.authority import Authority, FileAuthorityStore

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


def environ(tmp_path: Path) -> dict[str, str]:
    """A complete environment."""
    return {
        f"{PREFIX}DATABASE_URL": "postgresql+psycopg://tandem_api:hidden@/tandem",
        f"{PREFIX}TOKEN_KEY": KEY,
        f"{PREFIX}KEY_FILE": str(tmp_path / "key"),
        f"{PREFIX}CA_FILE": str(tmp_path / "ca.pem"),
        "HOME": "/",
    }


def test_settings_are_read_from_the_environment_and_hide_their_secrets(tmp_path: Path) -> None:
    settings = read_settings(environ(tmp_path))
    assert settings.token_key.get_secret_value() == b"k" * 32
    assert "hidden" not in repr(settings)
    assert "kkk" not in repr(settings)


def test_every_problem_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    wrong = {f"{PREFIX}TOKEN_KEY": "c2hvcnQ=", f"{PREFIX}COLOUR": "red", f"{PREFIX}HUB_QUIC_PORT": "x"}
    with pytest.raises(WrongSettings) as told:
        read_settings(wrong)
    for name in ("DATABASE_URL", "TOKEN_KEY", "COLOUR", "HUB_QUIC_PORT"):
        assert f"{PREFIX}{name}" in str(told.value)
    assert "c2hvcnQ=" not in str(told.value)


def test_exactly_one_key_service_and_one_ca_are_wanted(tmp_path: Path) -> None:
    given = environ(tmp_path)
    del given[f"{PREFIX}KEY_FILE"]
    with pytest.raises(WrongSettings, match="KEY_FILE and TANDEM_API_KMS_KEY_ARN"):
        read_settings(given)


def test_large_files_are_in_a_folder_or_in_a_bucket(tmp_path: Path) -> None:
    given = environ(tmp_path) | {f"{PREFIX}OBJECTS_FOLDER": "/objects"}
    assert read_settings(given).objects_folder == Path("/objects")
    with pytest.raises(WrongSettings, match="only one of TANDEM_API_OBJECTS_FOLDER and TANDEM_API_OBJECTS_BUCKET"):
        read_settings(given | {f"{PREFIX}OBJECTS_BUCKET": "tandem-objects"})


def test_every_setting_says_what_it_is_for() -> None:
    source = Path(__file__).parents[3] / "cloud" / "api" / "settings.py"
    lines = source.read_text().splitlines()
    for name in Settings.model_fields:
        place = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        assert lines[place + 1].strip().startswith('"""'), name


def test_importing_the_module_needs_no_settings_and_lambda_finds_app_and_authorizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.reload(importlib.import_module("cloud.api.app"))
    with pytest.raises(AttributeError):
        _ = module.nothing
    (tmp_path / "ca.pem").parent.mkdir(exist_ok=True)
    Authority.open(FileAuthorityStore(tmp_path / "ca.pem"), SystemClock().now())
    for name, value in environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    app = module.app
    assert module.app is app
    assert callable(module.authorize)
    assert "/sites/{site_id}" in app.routes
    importlib.reload(module)
