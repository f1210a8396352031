"""Install the Debian packages of the programs that the tests talk to, when this user may; say what is missing."""

import os
import shutil
import subprocess
import sys

from tests.support.peers import PACKAGES, missing


def main() -> int:
    """Never fails: a missing peer is reported by the tests themselves, by name."""
    wanted = sorted({one for program, packages in PACKAGES.items() if missing(program) for one in packages.split()})
    if not wanted:
        return 0
    apt = shutil.which("apt-get")
    if apt is None:
        print(f"not a Debian system: tests that need {', '.join(wanted)} will be NOT RUN")
        return 0
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print(f"installing {', '.join(wanted)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run([*sudo, apt, "update", "-qq"], env=environment, check=True)
        subprocess.run(
            [*sudo, apt, "install", "-y", "-qq", "--no-install-recommends", *wanted], env=environment, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"could not install them ({error}): their tests will be NOT RUN")
    return 0


if __name__ == "__main__":
    sys.exit(main())
