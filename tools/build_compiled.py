"""`python -m tools.build_compiled` (`make compiled`): the agent with its hot modules compiled by mypyc.

    build/compiled/<tag>/tree/   contract/ and edge_agent/ as in the sources, the compiled modules beside their .py
    build/compiled/<tag>/*.whl   the same as a wheel, for the installer's bundle

`<tag>` is the Python that runs this (`cp311`). Nothing is written into the source tree, and what was
built is kept while sources, tools and Python are the same. Needs gcc and Python's headers.
"""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cloud.installer.agent_wheel import PACKAGES, build_agent_wheel
from tools.compiled_modules import compiled_modules

PROJECT: Final = Path(__file__).resolve().parents[1]
TAG: Final = f"cp{sys.version_info.major}{sys.version_info.minor}"
FOLDER: Final = PROJECT / "build" / "compiled" / TAG
TREE: Final = FOLDER / "tree"
_STAMP: Final = FOLDER / "stamp"
_GROUP: Final = "tandem"
_SUFFIX: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))
_SETUP: Final = """
import sys
from mypyc.build import mypycify
from setuptools import setup
extensions = mypycify(["--ignore-missing-imports", "--follow-imports=silent", *sys.argv[3:]],
                      opt_level="3", debug_level="0", group_name=sys.argv[2])
sys.argv[1:] = ["--quiet", "build_ext", "--inplace"]
setup(name="compiled", packages=[], ext_modules=extensions)
"""


class CannotCompile(Exception):
    """Something that compiling needs is missing, or it failed; the text says what."""


def missing() -> str:
    """What compiling needs and this machine lacks; empty when all is there."""
    if shutil.which("gcc") is None:
        return "gcc (apt-get install gcc)"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return f"the headers of {sys.executable} (apt-get install python3-dev)"
    return ""


def source_digest(project: Path = PROJECT) -> str:
    """Of everything that goes into the compiled tree, and of what makes it."""
    digest = hashlib.sha256(f"{sys.version} {importlib.metadata.version('mypy')} {_SETUP}".encode())
    sources = [path for package in PACKAGES for path in (project / package).rglob("*")]
    sources += [Path(__file__), Path(__file__).with_name("compiled_modules.py"), project / "pyproject.toml"]
    for path in sorted(path for path in sources if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(project)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build() -> Path:
    """Compile, unless that was done from the same sources.

    Returns:
        The folder to run the agent from.

    Raises:
        CannotCompile: see its text.
    """
    if lacking := missing():
        raise CannotCompile(f"compiling needs {lacking}")
    digest = source_digest()
    if _STAMP.exists() and _STAMP.read_text() == digest:
        return TREE
    shutil.rmtree(FOLDER, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, TREE / package, ignore=shutil.ignore_patterns("__pycache__"))
    modules = compiled_modules(TREE)
    _compile(modules)
    shutil.rmtree(TREE / "build")
    _try_each(modules)
    build_agent_wheel(PROJECT, FOLDER, TREE, _wheel_tag())
    _STAMP.write_text(digest)
    return TREE


def _compile(modules: Sequence[Path]) -> None:
    # The linker's command without the paths that a Python built by hand would leave in every library.
    environment = {**os.environ, "LDSHARED": "gcc -shared -s", "SOURCE_DATE_EPOCH": "315532800"}
    command = [sys.executable, "-c", _SETUP, "-", _GROUP, *map(str, modules)]
    done = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompile((done.stdout + done.stderr).strip()[-4000:])
    if absent := [str(path) for path in modules if not (TREE / path).with_suffix(_SUFFIX).exists()]:
        raise CannotCompile(f"not compiled: {', '.join(absent)}")


def _try_each(modules: Sequence[Path]) -> None:
    """Import every package's modules in a process of its own: compiled, a circle of imports may crash Python."""
    for package in sorted({module.parent for module in modules}):
        names = ", ".join(".".join(one.with_suffix("").parts) for one in modules if one.parent == package)
        command = [sys.executable, "-X", "faulthandler", "-c", f"import {names}"]
        done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotCompile(f"import {names} ends with {done.returncode}: {done.stderr.strip()[:2000]}")


def _wheel_tag() -> str:
    """For this Python, on machines whose C library is at least this one's: pip takes the pure wheel elsewhere."""
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    version = libc.removeprefix("glibc ").replace(".", "_")
    return f"{TAG}-{TAG}-manylinux_{version}_{os.uname().machine}"


def main() -> int:
    """Build, and say where it is; 1 when that is not possible."""
    try:
        tree = build()
    except CannotCompile as error:
        sys.stderr.write(f"build_compiled: {error}\n")
        return 1
    print(f"{len(compiled_modules(tree))} modules compiled in {tree.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
