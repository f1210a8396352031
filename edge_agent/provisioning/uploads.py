"""What phones send: their logs and what was set on the phone itself; few, small, and the newest only."""

import logging
import re
from collections import OrderedDict
from pathlib import Path
from typing import Final

from contract.sync.events import PhoneUploaded
from edge_agent.ports import Reporter
from edge_agent.provisioning.errors import ProvisioningError

logger: Final = logging.getLogger(__name__)

MAX_UPLOAD_BYTES: Final = 1024 * 1024
MAX_FILES_PER_DEVICE: Final = 8
MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
SHOWN_BYTES: Final = 49_152
"""How much of an upload's end is told to the cloud."""

_NAME = re.compile(r"[0-9a-z][0-9a-z_.-]{0,127}")
_SECRET = re.compile(
    rb"""(?ix)
    ( [\w.-]* (?: passw | pwd | secret | credential | auth_?key | \.pin\b ) [\w.-]*  # the name of a setting
      (?: \s+ perm="[^"]*" )? \s* [=:>] \s* "? )
    ( [^"<>\r\n]* )"""
)


class UploadRefused(ProvisioningError):
    """The file is not kept; the text says why."""


class Uploads:
    """Keeps uploads in a folder, by device.

    Args:
        folder: made when the first upload comes.
        reporter: hears of each.
    """

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter
        self._sizes: OrderedDict[tuple[str, str], int] = OrderedDict()
        if folder.is_dir():
            files = sorted(
                (file for file in folder.glob("*/*") if file.is_file()), key=lambda file: file.stat().st_mtime
            )
            self._sizes.update({(file.parent.name, file.name): file.stat().st_size for file in files})

    def keep(self, device_id: str, name: str, content: bytes) -> None:
        """Keep a file in the place of the one of its name; older ones go when there are too many.

        Raises:
            UploadRefused: the name or the size cannot be.
            OSError: the disk does not take it.
        """
        name = name.rpartition("/")[2].lower()
        if not _NAME.fullmatch(name) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", device_id):
            raise UploadRefused("the name is none of a phone's file")
        if len(content) > MAX_UPLOAD_BYTES:
            raise UploadRefused(f"larger than {MAX_UPLOAD_BYTES} bytes")
        self._sizes.pop((device_id, name), None)
        mine = [key for key in self._sizes if key[0] == device_id]
        for key in mine[: max(0, len(mine) - MAX_FILES_PER_DEVICE + 1)]:
            self._forget(key)
        while self._sizes and sum(self._sizes.values()) + len(content) > MAX_TOTAL_BYTES:
            self._forget(next(iter(self._sizes)))
        place = self._folder / device_id
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = place / f".{name}.new"
        aside.write_bytes(content)
        aside.replace(place / name)
        self._sizes[(device_id, name)] = len(content)
        self._reporter.report(PhoneUploaded(device_id=device_id, name=name, size=len(content), content=shown(content)))

    def find(self, device_id: str, name: str) -> bytes | None:
        """What the device sent under this name, for the device itself; None when it did not."""
        key = (device_id, name.rpartition("/")[2].lower())
        if key not in self._sizes:
            return None
        try:
            return (self._folder / key[0] / key[1]).read_bytes()
        except OSError as error:
            logger.warning("upload_unreadable", extra={"device_id": device_id, "error": error.strerror})
            return None

    def _forget(self, key: tuple[str, str]) -> None:
        del self._sizes[key]
        (self._folder / key[0] / key[1]).unlink(missing_ok=True)


def shown(content: bytes) -> bytes:
    """The end of an upload as people may see it: what looks like a password is struck out."""
    return _SECRET.sub(rb"\1***", content)[-SHOWN_BYTES:]
