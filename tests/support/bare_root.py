"""A bare Debian or Ubuntu in a folder, made by debootstrap once and copied for each test.

A command in it runs as a chroot with processes of its own (they end with it) and the network of this machine.
"""

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PACKAGES: Final = "python3,curl,ca-certificates"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"
_ENTER: Final = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
_NOT_NEEDED: Final = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")


def bootstrapped() -> Path:
    """The cached root, made now if there is none; another test process may be making it."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    root = CACHE / "debootstrap" / suite
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            aside = root.with_name(f"{suite}.new")
            shutil.rmtree(aside, ignore_errors=True)
            command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(aside)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            for folder in _NOT_NEEDED:
                shutil.rmtree(aside / folder, ignore_errors=True)
            aside.rename(root)
    return root


class BareRoot:
    """One copy, to be removed with `remove`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["cp", "-a", str(bootstrapped()), str(folder)], check=True, timeout=120)

    def command(self, *command: str) -> list[str]:
        """The command line that runs `command` in here."""
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, str(self.folder), *command]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            self.command(*command),
            env=_environment(environment),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=180,
            check=False,
        )

    def start(self, *command: str, output: Path, **environment: str) -> subprocess.Popen[bytes]:
        """Run beside the test; ending the returned process ends everything in here."""
        with output.open("wb") as end:
            return subprocess.Popen(
                self.command(*command),
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=subprocess.STDOUT,
            )

    def processes(self) -> dict[int, str]:
        """Command lines of what runs in here, by this machine's process ids."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "root").readlink() == self.folder:
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
        return found

    def path(self, inside: str) -> Path:
        """Where a path of the root lies on this machine."""
        return self.folder / inside.lstrip("/")

    def remove(self) -> None:
        """Delete it: it is large."""
        shutil.rmtree(self.folder)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **more}
