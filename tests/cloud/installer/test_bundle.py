"""The bundle holds the agent, what it needs, and nothing of the cloud."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from cloud.installer import build_bundle
from cloud.installer.agent_wheel import PACKAGES, build_agent_wheel
from cloud.installer.build_bundle import PROJECT, PYTHONS, SOURCES
from cloud.installer.pinned import requirements_for

PINNED = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:cc
cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:dd
colorama==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
# a remark
"""


def test_requirements_are_chosen_for_the_python_of_the_edge_not_for_ours() -> None:
    assert requirements_for(PINNED, "3.11").splitlines() == [
        "numpy==2.4.6 --hash=sha256:aa --hash=sha256:bb",
        "cffi==2.1.1 --hash=sha256:dd",
    ]
    assert requirements_for(PINNED, "3.13").splitlines()[0] == "numpy==2.5.5 --hash=sha256:cc"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_edges_own_requirements_are_pinned_by_hash_for_every_python(python: str) -> None:
    lines = requirements_for((PROJECT / "requirements/edge.txt").read_text(), python).splitlines()
    assert len(lines) > 5
    assert all("==" in line and "--hash=sha256:" in line and ";" not in line for line in lines)


def test_the_agents_wheel_holds_contract_and_edge_and_nothing_of_the_cloud(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_agent_wheel(PROJECT, tmp_path)) as wheel:
        names = wheel.namelist()
        info = {name.rpartition("/")[2]: wheel.read(name).decode() for name in names if ".dist-info/" in name}
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"contract", "edge_agent"}
    assert "edge_agent/edge.example.toml" in names
    assert "contract/devices/catalogue/yealink/settings.xml" in names
    assert not [name for name in names if "__pycache__" in name]
    assert "tandem-edge = edge_agent.__main__:main" in info["entry_points.txt"]
    about = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    needed = [*about["dependencies"], *about["optional-dependencies"]["edge"]]
    assert [
        line.split(": ", 1)[1] for line in info["METADATA"].splitlines() if line.startswith("Requires-Dist")
    ] == needed
    assert len(info["RECORD"].splitlines()) == len(names)


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = (build_agent_wheel(PROJECT, tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two


def fake_wheels(cache: Path, tag: str, python: str) -> Path:
    folder = cache / tag
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pip-26.0-py3-none-any.whl").write_bytes(b"pip")
    (folder / f"numpy-2-{tag}.whl").write_bytes(python.encode())
    return folder


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build_bundle, "_fetched", fake_wheels)
    build_bundle.build(tmp_path / "out", "https://tandem.example/", cache=tmp_path / "cache")
    return tmp_path / "out"


def test_trust_goes_from_the_script_to_the_manifest_to_each_bundle(served: Path) -> None:
    manifest = (served / "agent/manifest.txt").read_bytes()
    script = (served / "install.sh").read_text()
    assert f"MANIFEST_SHA256='{hashlib.sha256(manifest).hexdigest()}'" in script
    rows = [line.split() for line in manifest.decode().splitlines()]
    assert [python for _, python, _ in rows] == list(PYTHONS)
    for digest, _, name in rows:
        assert hashlib.sha256((served / "agent" / name).read_bytes()).hexdigest() == digest


def test_the_script_knows_its_cloud_and_has_no_place_left_open(served: Path) -> None:
    script = (served / "install.sh").read_text()
    assert "CLOUD_URL='https://tandem.example'" in script
    assert "@CLOUD_URL@" not in script
    assert "@MANIFEST_SHA256@" not in script


def test_a_bundle_has_pip_the_wheels_and_what_starts_the_agent(served: Path) -> None:
    with tarfile.open(served / "agent" / "tandem-edge-0.1.0-cp312.tar.gz") as bundle:
        names = set(bundle.getnames())
    assert {"pip.whl", "wheels/numpy-2-cp312.whl", "tandem-edge.service", "supervise.sh"} < names
    assert any(name.startswith("wheels/tandem-") for name in names)


TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"


def compiled_wheel(folder: Path, machine: str, without: str = "") -> Path:
    """A wheel as `make compiled` leaves one; what is compiled in it does not matter here."""
    tree = folder / "tree"
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", without))
    (tree / "tandem__mypyc.so").write_bytes(b"machine code")
    return build_agent_wheel(PROJECT, folder, tree, f"{TAG}-{TAG}-{machine}")


@pytest.mark.parametrize(("without", "carried"), [("", True), ("endpoint.py", False)])
def test_a_bundle_carries_the_compiled_wheel_of_the_same_sources_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str, carried: bool
) -> None:
    (tmp_path / TAG).mkdir()
    wheel = compiled_wheel(tmp_path / TAG, "manylinux_2_36_x86_64", without)
    monkeypatch.setattr(build_bundle, "_fetched", fake_wheels)
    monkeypatch.setattr(build_bundle, "COMPILED", tmp_path)
    build_bundle.build(tmp_path / "out", "https://tandem.example/", cache=tmp_path / "cache")
    for bundle in (tmp_path / "out" / "agent").glob("*.tar.gz"):
        with tarfile.open(bundle) as opened:
            agents = [name for name in opened.getnames() if name.startswith("wheels/tandem-")]
        assert "wheels/tandem-0.1.0-py3-none-any.whl" in agents
        assert (f"wheels/{wheel.name}" in agents) == (carried and TAG in bundle.name)


@pytest.mark.parametrize(("machine", "compiled"), [("linux_x86_64", True), ("manylinux_2_99_x86_64", False)])
def test_pip_takes_the_compiled_wheel_where_it_fits_the_machine_and_the_pure_one_elsewhere(
    tmp_path: Path, machine: str, compiled: bool
) -> None:
    compiled_wheel(tmp_path, machine)
    build_agent_wheel(PROJECT, tmp_path)
    target = tmp_path / "installed"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-index",
        "--no-deps",
    ]
    command += ["--no-compile", "--root-user-action=ignore", "--find-links", str(tmp_path), "--target", str(target)]
    subprocess.run([*command, "tandem"], check=True)
    assert (target / "tandem__mypyc.so").exists() == compiled
    assert (target / "edge_agent/sip/endpoint.py").exists()


def test_building_again_changes_nothing_and_old_bundles_go(served: Path, tmp_path: Path) -> None:
    before = (served / "install.sh").read_bytes()
    (served / "agent/tandem-edge-0.0.9-cp311.tar.gz").write_bytes(b"old")
    build_bundle.build(served, "https://tandem.example", cache=tmp_path / "cache")
    assert (served / "install.sh").read_bytes() == before
    assert not (served / "agent/tandem-edge-0.0.9-cp311.tar.gz").exists()


def test_a_download_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_bundle, "PLATFORMS", ("no_such_platform",))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(build_bundle.BundleNotBuilt, match="pip download failed"):
        build_bundle.build(tmp_path / "out", "https://tandem.example", ("3.11",), tmp_path / "cache")


@pytest.mark.parametrize("script", ["install.sh", "supervise.sh"])
def test_the_scripts_are_plain_shell(script: str) -> None:
    text = (SOURCES / script).read_text()
    assert text.startswith("#!/bin/sh\n")
    assert subprocess.run(["/bin/sh", "-n", str(SOURCES / script)], check=False).returncode == 0
    assert not [word for word in ("[[", "function ", "local ", "<<<", "&>") if word in text]
