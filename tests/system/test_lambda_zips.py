"""The zips that Lambda runs: built from the pinned wheels, and imported with nothing beside them."""

import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.pbx.authority import Authority, FileAuthorityStore
from tools import build_functions

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the wheels of Lambda are for Linux on x86-64"
)

RUNTIME = ("boto3", "botocore", "s3transfer")
"""What the Lambda runtime itself brings."""

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Tandem",
    "TANDEM_DATABASE_URL": "postgresql+psycopg://tandem_worker@localhost/tandem",
    "TANDEM_API_DATABASE_URL": "postgresql+psycopg://tandem_api@localhost/tandem",
    "TANDEM_API_KMS_KEY_ARN": "arn:aws:kms:eu-central-1:123456789012:key/0",
    "TANDEM_API_TOKEN_KEY": "bm90aGluZyBpcyBzaWduZWQgd2hpbGUgYnVpbGRpbmc=",
}


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every zip, built for the interpreter that runs this test."""
    out = tmp_path_factory.mktemp("zips")
    build_functions.build(out, VERSION)
    return out


def names_of(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def built() -> list[str]:
    names = build_functions.function_names()
    return [*names, build_functions.API] if (build_functions.ROOT / "cloud" / "api" / "app.py").is_file() else names


@pytest.mark.parametrize("name", built())
def test_a_handler_is_imported_from_its_zip_alone(name: str, zips: Path, tmp_path: Path) -> None:
    authority = Authority.open(FileAuthorityStore(tmp_path / "authority.pem"), SystemClock().now())
    task, runtime = tmp_path / "task", tmp_path / "runtime"
    with zipfile.ZipFile(zips / f"{name}.zip") as archive:
        archive.extractall(task)
    runtime.mkdir()
    for package in RUNTIME:
        found = Path(__import__(package).__file__ or "").parent
        (runtime / package).symlink_to(found, target_is_directory=True)
    entry = "cloud.api.app:app" if name == build_functions.API else f"cloud.functions.{name}.handler:handler"
    program = (
        f"import sys; sys.path[:0] = [{str(task)!r}, {str(runtime)!r}]\n"
        "import cloud.aws.entry as entry\n"
        "assert callable(entry.handler)\n"
        "import cloud, psycopg; assert all(m.__file__.startswith(sys.path[0]) for m in (cloud, psycopg))"
    )
    # -I: neither the environment's nor the user's path; -S: nor the libraries installed beside the interpreter.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={**ENVIRONMENT, "TANDEM_AWS_ENTRY": entry, "TANDEM_API_CA_PEM": authority.certificate_pem},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", built())
def test_a_zip_holds_nothing_that_lambda_does_not_run(name: str, zips: Path) -> None:
    names = names_of(zips / f"{name}.zip")
    packages = {path.split("/")[0] for path in names}
    assert packages.isdisjoint({"tests", "edge_agent", "aioquic", "boto3", "botocore", "pip", "websockets"})
    assert not any(path.startswith(("cloud/portal", "cloud/local", "cloud/hub")) for path in names)
    assert not any("__pycache__" in path or path.endswith(".pyc") for path in names)
    own = {path.split("/")[2] for path in names if path.startswith("cloud/functions/") and path.count("/") > 2}
    assert own <= {name, *(folder for folder in own if folder not in build_functions.function_names())}


@pytest.mark.parametrize("name", built())
def test_a_zip_is_within_its_ceiling(name: str, zips: Path) -> None:
    with zipfile.ZipFile(zips / f"{name}.zip") as archive:
        assert sum(entry.file_size for entry in archive.infolist()) <= build_functions.MAX_UNZIPPED
        assert {entry.date_time for entry in archive.infolist()} == {build_functions.EPOCH}
        assert archive.namelist() == sorted(archive.namelist())


def test_the_routes_of_the_api_are_written_for_the_gateway(tmp_path: Path) -> None:
    build_functions.write_routes(tmp_path)
    routes = json.loads((tmp_path / "routes.json").read_text())
    assert routes["/openapi.json"] == {"GET": ""}
    assert set(routes["/sites"].values()) == {"authorize"}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for number, order in enumerate((("a", "b"), ("b", "a"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in order:
            (folder / name).write_text(name)
        build_functions.write_zip([(name, folder / name) for name in order], tmp_path / f"{number}.zip")
    assert (tmp_path / "0.zip").read_bytes() == (tmp_path / "1.zip").read_bytes()


def test_a_zip_above_the_ceiling_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(b"12345678")
    monkeypatch.setattr(build_functions, "MAX_UNZIPPED", 7)
    with pytest.raises(build_functions.BuildFailed, match="8 bytes unpacked"):
        build_functions.write_zip([("large", tmp_path / "large")], tmp_path / "large.zip")


def test_leaving_a_package_out_leaves_every_other_pin_and_hash() -> None:
    text = build_functions.REQUIREMENTS.read_text()
    kept = build_functions.pinned(text, build_functions.LEFT_OUT)
    assert "\naioquic==" not in f"\n{kept}"
    assert "sqlalchemy==" in kept
    requirements = [line for line in kept.splitlines() if not line.startswith(" ")]
    assert all("==" in line for line in requirements)
    assert all(f"\n{line}\n" in f"\n{text}" for line in requirements)
    assert set(build_functions.LEFT_OUT) <= {line.split("==")[0] for line in text.splitlines() if "==" in line}


def test_routes_are_told_with_their_authorizers() -> None:
    from chalice.app import AuthResponse, Chalice

    app = Chalice("test")

    @app.authorizer(name="authorize")
    def authorize(_request: object) -> AuthResponse:
        return AuthResponse(routes=["*"], principal_id="someone")

    @app.route("/sites", methods=["GET"], authorizer=authorize)
    def sites() -> list[str]:
        return []

    @app.route("/ca.pem", methods=["GET"])
    def certificate() -> str:
        return ""

    assert build_functions.routes_of(app) == {"/ca.pem": {"GET": ""}, "/sites": {"GET": "authorize"}}
