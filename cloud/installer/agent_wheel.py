"""The agent as a wheel: `contract` and `edge_agent` and nothing of the cloud.

Written by hand (PEP 427 is a zip with three more files), so that the same sources give the same bytes and no build
backend has to be at hand where the cloud runs.
"""

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("contract", "edge_agent")
_LEFT_OUT: Final = ("__pycache__",)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


PURE: Final = "py3-none-any"
"""The tag of a wheel for every Python."""


def build_agent_wheel(project: Path, out: Path, tree: Path | None = None, tag: str = PURE) -> Path:
    """Write the wheel of the agent.

    Args:
        project: the folder of pyproject.toml.
        out: where the wheel goes.
        tree: the folder that the packages are in, with compiled modules beside their sources and, next to the
            packages, what those share; None for the project's own sources.
        tag: which Python and platform it is for (PEP 425).

    Returns:
        The wheel.
    """
    about: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    name = f"{about['name']}-{about['version']}"
    info = f"{name}.dist-info"
    tree = tree or project
    paths = [path for package in PACKAGES for path in sorted((tree / package).rglob("*"))]
    if tag != PURE:
        paths += sorted(tree.glob("*.so"))
    files = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file() and not set(path.parts) & set(_LEFT_OUT) and path.suffix != ".pyc"
    }
    files[f"{info}/METADATA"] = _metadata(about).encode()
    purelib = "true" if tag == PURE else "false"
    wheel_file = f"Wheel-Version: 1.0\nGenerator: tandem\nRoot-Is-Purelib: {purelib}\nTag: {tag}\n"
    files[f"{info}/WHEEL"] = wheel_file.encode()
    files[f"{info}/entry_points.txt"] = (
        "[console_scripts]\ntandem-edge = " + about["scripts"]["tandem-edge"] + "\n"
    ).encode()
    record = f"{info}/RECORD"
    rows = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in files.items()]
    files[record] = ("\n".join([*rows, f"{record},,"]) + "\n").encode()
    wheel = out / f"{name}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return wheel


def made_of(wheel: Path, pure: Path) -> bool:
    """Whether a compiled wheel was made of the sources that are in the pure one."""
    with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(pure) as theirs:
        files = {name for name in theirs.namelist() if ".dist-info/" not in name}
        return files <= set(ours.namelist()) and all(ours.read(name) == theirs.read(name) for name in files)


def _metadata(about: dict[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        "Summary: The Tandem edge agent",
        f"Requires-Python: {about['requires-python']}",
        *(f"Requires-Dist: {one}" for one in (*about["dependencies"], *about["optional-dependencies"]["edge"])),
    ]
    return "\n".join(lines) + "\n"


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
