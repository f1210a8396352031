"""`python -m cloud.installer.build_bundle --out FOLDER --cloud-url URL`: everything that the API serves to installers.

    FOLDER/install.sh                       the installer, knowing the cloud's address and the manifest's digest
    FOLDER/agent/manifest.txt               `<sha256>  <python>  <file>` of each bundle
    FOLDER/agent/tandem-edge-<version>-cp311.tar.gz …
        pip.whl  wheels/*.whl  tandem-edge.service  supervise.sh

Where `make compiled` was run on the same sources, the bundle of that Python has the agent as a compiled wheel as well;
pip takes it where its tag fits the machine and the pure one elsewhere.

Trust goes from the script to the manifest to the bundle, each by SHA-256. The same inputs give the same bytes, so
that building again without a change changes nothing.
"""

import argparse
import gzip
import hashlib
import importlib.metadata
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cloud.errors import CloudError
from cloud.installer.agent_wheel import build_agent_wheel, made_of
from cloud.installer.pinned import requirements_for

PYTHONS: Final = ("3.11", "3.12", "3.13")
PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
PROJECT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = Path(__file__).parent
COMPILED: Final = PROJECT / "build" / "compiled"
"""Where `make compiled` leaves a wheel for each Python, in a folder of its tag."""
IN_BUNDLE: Final = ("tandem-edge.service", "supervise.sh")
DOWNLOAD_SECONDS: Final = 600


class BundleNotBuilt(CloudError):
    """The bundle could not be built; the text says why."""


def build(out: Path, cloud_url: str, pythons: Sequence[str] = PYTHONS, cache: Path | None = None) -> None:
    """Build the installer and one bundle for each Python.

    Args:
        out: the folder that the API serves; made if missing.
        cloud_url: where machines reach the cloud, such as `https://tandem.example`.
        pythons: for which CPython versions.
        cache: keeps downloaded wheels between runs; None keeps them in `out`'s neighbour `<out>.wheels`.

    Raises:
        BundleNotBuilt: wheels could not be fetched.
    """
    cache = cache or out.with_name(out.name + ".wheels")
    agent = out / "agent"
    agent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_agent_wheel(PROJECT, Path(scratch))
        version = wheel.name.split("-")[1]
        rows = []
        for python in pythons:
            tag = f"cp{python.replace('.', '')}"
            wheels = _fetched(cache, tag, python)
            content = _bundle([wheel, *_compiled(tag, wheel)], wheels)
            name = f"tandem-edge-{version}-{tag}.tar.gz"
            _replace(agent / name, content)
            rows.append(f"{hashlib.sha256(content).hexdigest()}  {python}  {name}\n")
    manifest = "".join(rows).encode()
    _replace(agent / "manifest.txt", manifest)
    script = (SOURCES / "install.sh").read_text()
    script = script.replace("@CLOUD_URL@", cloud_url.rstrip("/"))
    script = script.replace("@MANIFEST_SHA256@", hashlib.sha256(manifest).hexdigest())
    _replace(out / "install.sh", script.encode())
    for old in agent.glob("tandem-edge-*.tar.gz"):
        if old.name not in manifest.decode():
            old.unlink()


def _fetched(cache: Path, tag: str, python: str) -> Path:
    """A folder with exactly the wheels that the edge needs on this Python, and pip's."""
    pinned = requirements_for((PROJECT / "requirements" / "edge.txt").read_text(), python)
    pip_version = importlib.metadata.version("pip")
    wanted = hashlib.sha256(f"{pinned}pip=={pip_version}".encode()).hexdigest()
    folder, stamp = cache / tag, cache / f"{tag}.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    requirements = cache / f"{tag}.txt"
    requirements.write_text(pinned)
    target = ["--implementation", "cp", "--python-version", python]
    for abi in (tag, "abi3", "none"):
        target += ["--abi", abi]
    for platform in PLATFORMS:
        target += ["--platform", platform]
    _download([*target, "--require-hashes", "-r", str(requirements)], folder)
    _download([f"pip=={pip_version}"], folder)
    stamp.write_text(wanted)
    return folder


def _download(arguments: list[str], folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)  # noqa: S603 - our own arguments
    except subprocess.TimeoutExpired:
        raise BundleNotBuilt(f"pip download took more than {DOWNLOAD_SECONDS} seconds") from None
    if done.returncode:
        raise BundleNotBuilt(f"pip download failed: {done.stderr.strip()[-2000:]}")


def _compiled(tag: str, pure: Path) -> list[Path]:
    return [wheel for wheel in sorted((COMPILED / tag).glob("*.whl")) if made_of(wheel, pure)]


def _bundle(agent_wheels: Sequence[Path], wheels: Path) -> bytes:
    files = {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in sorted(wheels.glob("*.whl"))}
    pip = next(name for name in files if name.startswith("wheels/pip-"))
    files["pip.whl"] = files.pop(pip)
    files.update({f"wheels/{wheel.name}": wheel.read_bytes() for wheel in agent_wheels})
    files.update({name: (SOURCES / name).read_bytes() for name in IN_BUNDLE})
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), compresslevel=1, mtime=0)


def _replace(path: Path, content: bytes) -> None:
    """Write so that a machine that fetches meanwhile gets the old file or the new one."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build_bundle", description="Build what installers fetch from the cloud.")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the folder that the API serves")
    parser.add_argument("--cloud-url", required=True, metavar="URL", help="where machines reach the cloud")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only for this Python; may be repeated")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps downloaded wheels")
    options = parser.parse_args(arguments)
    try:
        build(options.out, options.cloud_url, options.python or PYTHONS, options.cache)
    except (BundleNotBuilt, OSError) as error:
        sys.stderr.write(f"build_bundle: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
