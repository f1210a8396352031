"""The Python that the edge under test runs on: the system's own, with the edge's pinned requirements."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

PROJECT: Final = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON: Final = Path("/usr/bin/python3")
_REQUIREMENTS: Final = PROJECT / "requirements" / "edge.txt"
_FOLDER: Final = PROJECT / "build" / "bench"
_ASK: Final = """
import json, platform, sys, sysconfig
print(json.dumps([platform.python_version(), sys.implementation.cache_tag, sys.base_prefix,
                  sysconfig.get_config_var("CONFIG_ARGS") or "", sysconfig.get_config_var("PGO_PROF_USE_FLAG")]))
"""


class NoInterpreter(Exception):
    """The system's Python cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that has what the edge needs.

    Args:
        executable: how it is started.
        version: such as `3.11.2`.
        tag: such as `cpython-311`.
        pgo: whether it was built by a profile, and how that is known.
    """

    executable: Path
    version: str
    tag: str
    pgo: str

    @classmethod
    def of(cls, executable: Path) -> Self:
        """That one."""
        said = subprocess.run([str(executable), "-c", _ASK], capture_output=True, text=True, check=True).stdout
        version, tag, prefix, config, use_flag = json.loads(said)
        return cls(executable, version, tag, built_by_profile(config, prefix, use_flag))

    def __str__(self) -> str:
        return f"CPython {self.version} ({self.pgo})"


def built_by_profile(config_args: str, prefix: str, use_flag: str | None) -> str:
    """Whether a Python is an optimised one, for people.

    Args:
        config_args: what it was configured with.
        prefix: where it is installed.
        use_flag: sysconfig's PGO_PROF_USE_FLAG, which Debian empties after its own profile run.
    """
    if "--enable-optimizations" in config_args:
        return "built with PGO: --enable-optimizations"
    if prefix == "/usr" and not use_flag:
        return "built with PGO: by Debian's rules, which run the profile themselves"
    return "built without PGO"


def system_interpreter() -> Interpreter:
    """An environment of the system's Python, made once for each state of the requirements.

    Raises:
        NoInterpreter: there is no such Python, or its environment cannot be made.
    """
    if not SYSTEM_PYTHON.exists():
        raise NoInterpreter(f"{SYSTEM_PYTHON} is missing (apt-get install python3 python3-venv)")
    found = Interpreter.of(SYSTEM_PYTHON)
    digest = hashlib.sha256(f"{found.version}".encode() + _REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = _FOLDER / f"{found.tag}-{digest}"
    if not (folder / "ready").exists():
        sys.stderr.write(f"making an environment of {SYSTEM_PYTHON} in {folder}\n")
        shutil.rmtree(folder, ignore_errors=True)
        _run([str(SYSTEM_PYTHON), "-m", "venv", str(folder)])
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "--require-hashes", "--requirement", str(_REQUIREMENTS)])
        (folder / "ready").touch()
    return Interpreter.of(folder / "bin" / "python")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoInterpreter(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr).strip()[-600:]}")
