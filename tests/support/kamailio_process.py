"""Kamailio (Debian package kamailio) run by a test, with a configuration of the test's."""

import shutil
import subprocess
from pathlib import Path
from typing import Final, Self

from tests.support.waiting import eventually

MODULES: Final = "/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/"
"""Where Debian puts them, for `mpath`."""


class KamailioProcess:
    """One running Kamailio; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        configuration: the text of its kamailio.cfg.
    """

    def __init__(self, folder: Path, configuration: str) -> None:
        folder.mkdir()
        self._folder, self._log = folder, folder / "log"
        (folder / "kamailio.cfg").write_text(configuration, encoding="utf-8")

    def __enter__(self) -> Self:
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"
        command = [program, "-f", str(self._folder / "kamailio.cfg"), "-DD", "-E", "-Y", str(self._folder)]
        # Started again it goes on in the same log.
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*command, "-m", "64", "-M", "8"], stdout=log, stderr=log)
        eventually(self._is_up, 15, "Kamailio listens")
        return self

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.said()
        return b"Listening on" in self._log.read_bytes()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text("utf-8", "replace")[-3000:]
