"""Build the zips that AWS Lambda runs: `python -m tools.build_functions --out DIR`.

One zip for each folder of cloud/functions and one for the API, from the pinned and hashed requirements/cloud.txt and
the packages `contract` and `cloud`; beside them `routes.json`, from which the gateway is made. The same sources give
the same bytes: names are sorted, times and modes fixed. Wheels only, for the Lambda runtime's Python on x86-64.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
REQUIREMENTS: Final = ROOT / "requirements" / "cloud.txt"
FUNCTIONS: Final = ROOT / "cloud" / "functions"
API: Final = "api"
DEFAULT_PYTHON: Final = "3.13"
PLATFORM: Final = "x86_64-manylinux_2_28"
"""What Amazon Linux 2023, below Lambda's Python 3.12 and 3.13, can load."""

MAX_UNZIPPED: Final = 80 * 1024 * 1024
"""Bytes of one function unpacked; Lambda's own limit is 250 MiB, and every byte is paid for at a cold start."""

LEFT_OUT: Final[dict[str, str]] = {
    **dict.fromkeys(("boto3", "botocore", "s3transfer"), "the Lambda runtime has it"),
    **dict.fromkeys(("aioquic", "pylsqpack", "pyopenssl", "service-identity", "websockets"), "the hub's channel"),
    **dict.fromkeys(("alembic", "mako"), "migrations, run by a task of their own"),
    **dict.fromkeys(
        ("ansicon", "blessed", "click", "editor", "inquirer", "jinxed", "pip", "pyyaml", "readchar", "runs"),
        "Chalice's command line",
    ),
    **dict.fromkeys(("setuptools", "wcwidth", "wheel", "xmod"), "Chalice's command line"),
}
"""What no Lambda imports, by reason; the test that imports every handler from its zip says when this is wrong."""

ONLY_API: Final = frozenset({"argon2-cffi", "argon2-cffi-bindings", "chalice", "pyjwt"})
"""What only the API imports."""

NOT_OURS: Final = ("cloud/portal", "cloud/local", "cloud/hub", "cloud/models/migrations")
"""Parts of `cloud` that no Lambda runs."""

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can carry, and so every entry's."""


class BuildFailed(Exception):
    """A zip cannot be built; the text says why."""


def pinned(text: str, left_out: Iterable[str]) -> str:
    """The requirements without those packages, hashes and markers kept.

    Args:
        text: a requirements file, each requirement followed by its indented hashes.
    """
    refused = set(left_out)
    blocks = re.findall(r"^(?!#)[A-Za-z0-9].*(?:\n[ \t]+.*)*", text, flags=re.MULTILINE)
    return "".join(f"{block}\n" for block in blocks if _name(block) not in refused)


def _name(block: str) -> str:
    return re.split(r"[=\[; ]", block, maxsplit=1)[0].lower()


def function_names() -> list[str]:
    """The folders of cloud/functions that hold a handler."""
    return sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))


def install(requirements: str, target: Path, python: str) -> None:
    """Unpack the wheels of `requirements` into `target`.

    Raises:
        BuildFailed: a wheel is missing, or its hash is not the pinned one.
    """
    listed = target.with_suffix(".txt")
    listed.write_text(requirements)
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python-version", python, "--python-platform", PLATFORM]
    command += ["--link-mode", "copy", "--target", str(target), "--requirements", str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise BuildFailed(f"the wheels for Python {python} cannot be had:\n{done.stderr}")


def _wanted(name: str) -> bool:
    parts = name.split("/")
    return not (
        "__pycache__" in parts
        or parts[0] == "bin"
        or name in {".lock", ".gitignore"}
        or name.endswith((".pyc", ".pyi", ".c", ".pyx", ".pxd", ".h"))
        # What installers note down differs from run to run; the rest of a distribution's folder is read at run time.
        or (parts[0].endswith(".dist-info") and parts[-1] in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
        or (len(parts) > 1 and "tests" in parts[1:-1])
    )


def library_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What of the installed libraries goes into a zip, by its name there."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and _wanted(name):
            yield name, path


def own_files(function: str) -> Iterator[tuple[str, Path]]:
    """What of this project goes into the zip of one function (or of the API), by its name there."""
    refused = [*NOT_OURS, *(f"cloud/functions/{name}" for name in function_names() if name != function)]
    if function != API:
        refused.append("cloud/api")
    for package in ("cloud", "contract"):
        for path in (ROOT / package).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if any(name == part or name.startswith(f"{part}/") for part in refused):
                continue
            if path.is_file() and _wanted(name):
                yield name, path


def write_zip(files: Iterable[tuple[str, Path]], target: Path) -> int:
    """Write the files as a zip whose bytes depend on nothing but theirs; their size unpacked.

    Raises:
        BuildFailed: it would be above MAX_UNZIPPED.
    """
    size = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whichever machine builds
            entry.external_attr = 0o100644 << 16
            content = path.read_bytes()
            size += len(content)
            archive.writestr(entry, content)
    if size > MAX_UNZIPPED:
        raise BuildFailed(f"{target.name}: {size} bytes unpacked, above {MAX_UNZIPPED}")
    return size


def routes_of(app: Any) -> dict[str, dict[str, str]]:
    """The routes of a Chalice app: path → method → name of its authorizer, empty for none."""
    return {
        path: {
            method: "" if entry.authorizer is None else str(entry.authorizer.name)
            for method, entry in sorted(methods.items())
        }
        for path, methods in sorted(app.routes.items())
    }


def build(out: Path, python: str = DEFAULT_PYTHON) -> dict[str, int]:
    """Build every zip into `out`; their sizes unpacked, by name.

    Raises:
        BuildFailed: a library cannot be had, or a zip is too large.
    """
    out.mkdir(parents=True, exist_ok=True)
    text = REQUIREMENTS.read_text()
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="tandem-lambda-") as scratch:
        libraries = {}
        for kind, left_out in (("api", set(LEFT_OUT)), ("functions", {*LEFT_OUT, *ONLY_API})):
            libraries[kind] = Path(scratch) / kind
            install(pinned(text, left_out), libraries[kind], python)
        names = function_names()
        if (ROOT / "cloud" / "api" / "app.py").is_file():
            names.append(API)
        for name in names:
            folder = libraries["api" if name == API else "functions"]
            sizes[name] = write_zip([*library_files(folder), *own_files(name)], out / f"{name}.zip")
    return sizes


_PRINT_ROUTES: Final = """
import json
from types import SimpleNamespace
from cloud.api.app import make_app
from tools.build_functions import routes_of
# Declaring routes needs no database and no key; only answering does.
print(json.dumps(routes_of(make_app(SimpleNamespace(access=None))), indent=2, sort_keys=True))
"""


def write_routes(out: Path) -> None:
    """Write `routes.json`: the API's routes, for the gateway to be made from.

    Raises:
        BuildFailed: the app cannot be imported.
    """
    # A process of its own: this tool needs none of the API's libraries itself.
    command = [sys.executable, "-c", _PRINT_ROUTES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise BuildFailed(f"the API's routes cannot be read:\n{done.stderr}")
    (out / "routes.json").write_text(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """0 when every zip is there."""
    parser = argparse.ArgumentParser(description="Build the zips that AWS Lambda runs")
    parser.add_argument("--out", type=Path, required=True, help="folder to write them to")
    parser.add_argument("--python", default=DEFAULT_PYTHON, help="Python of the Lambda runtime (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        sizes = build(given.out, given.python)
        write_routes(given.out)
    except BuildFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    for name, size in sizes.items():
        packed = (given.out / f"{name}.zip").stat().st_size
        sys.stdout.write(f"{name}.zip: {packed / 2**20:.1f} MB, {size / 2**20:.1f} MB unpacked\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
