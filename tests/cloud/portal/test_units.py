"""The portal's own unit tests: polling, problems, drafts, states, times."""

import os
import subprocess
from pathlib import Path

from tools.build_portal import PORTAL, find_node


def test_the_logic_of_the_portal_does_what_its_own_tests_say(portal_dir: Path) -> None:
    node = find_node()
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    npm = str(node / "npm")
    if not (PORTAL / "node_modules").is_dir():  # the pages were built elsewhere
        subprocess.run([npm, "ci", "--silent"], cwd=PORTAL, env=environment, check=True)
    done = subprocess.run(
        [npm, "run", "--silent", "test"], cwd=PORTAL, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
