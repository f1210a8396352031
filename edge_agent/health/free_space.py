"""Is there room left where the agent keeps what it must not lose?"""

import os
from pathlib import Path

from edge_agent.health.check import Finding

_MB = 1_000_000


class FreeSpace:
    """Free space of the state folder's file system.

    Args:
        folder: the state folder.
        minimum_mb: less than so many megabytes is a finding.
    """

    alarm = "free_space_low"

    def __init__(self, folder: Path, minimum_mb: int) -> None:
        self._folder = folder
        self._minimum_mb = minimum_mb

    def run(self) -> Finding | None:
        """A finding when there is too little; also when the file system does not say."""
        try:
            system = os.statvfs(self._folder)
        except OSError as error:
            return Finding("critical", f"{self._folder} cannot be looked at: {error.strerror}")
        free_mb = system.f_bavail * system.f_frsize // _MB
        if free_mb >= self._minimum_mb:
            return None
        return Finding("warning", f"{free_mb} MB are free for {self._folder}, at least {self._minimum_mb} should be")
