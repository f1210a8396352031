"""The firmware files that phones can ask for: known names only, each leading to a blob of the edge's cache.

A phone's file names `firmware/<its MAC address>/<firmware id>/`, so that whoever asks there is known, and finds what is
meant for that phone. Phones that ask for bare names beside their configuration find the files of what they are told of.
No text of an asker's becomes a path: what is opened is named by a digest of the snapshot's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from edge_agent.provisioning.firmware.telling import Image

FOLDER: Final = "firmware"
_PLACE: Final = re.compile(rf"{FOLDER}/([0-9a-f]{{12}})/([0-9A-Za-z_-]{{1,64}})/([^/]{{1,128}})", re.IGNORECASE)

_FOLDERS: Final = re.compile(rf"{FOLDER}(?:/[0-9a-f]{{12}}(?:/[0-9A-Za-z_-]{{1,64}})?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is sent from the disk.

    Args:
        path: where it is.
        size_bytes: how long it is.
        etag: its digest, as an entity tag.
        device_id: for whom it is asked for; None: that is not known.
    """

    path: Path
    size_bytes: int
    etag: str
    device_id: str | None


def folder_for(mac: str, firmware_id: str) -> str:
    """Where a phone finds the files of a firmware, without slashes around it."""
    return f"{FOLDER}/{mac}/{firmware_id}"


def mapped(file: StoredFile) -> mmap | None:
    """The file's bytes, read from the disk where they are looked at; None when it has just gone."""
    try:
        with file.path.open("rb") as opened:
            return mmap(opened.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError):
        return None


class Shelf:
    """Where firmware lies.

    Args:
        blobs: the folder of the edge's cache; None: there is none, and no firmware.
    """

    def __init__(self, blobs: Path | None) -> None:
        self._blobs = blobs
        self._images: Mapping[str, Image] = {}
        self._wanted: Mapping[str, str] = {}
        self._devices: Mapping[str, str] = {}
        self._bare: dict[str, dict[str, str]] = {}
        """Lower-case name → device id → digest, of phones that ask beside their configuration."""

    def serve(
        self,
        images: Mapping[str, Image],
        wanted: Mapping[str, str],
        devices: Mapping[str, str],
        beside: Mapping[str, str],
    ) -> None:
        """From here on, this is what there is.

        Args:
            images: every firmware, by its id.
            wanted: the firmware that each device is to have, by its id.
            devices: device ids by MAC address.
            beside: the firmware that devices are told of which ask for it beside their configuration.
        """
        self._images, self._wanted, self._devices = images, wanted, devices
        self._bare = {}
        for device_id, firmware_id in beside.items():
            for name, digest in images[firmware_id].files:
                self._bare.setdefault(name.lower(), {})[device_id] = digest

    def is_complete(self, firmware_id: str) -> bool:
        """Whether every file of a firmware is on the disk."""
        image = self._images.get(firmware_id)
        return image is not None and all(self._path(digest) is not None for _, digest in image.files)

    def may_have(self, name: str) -> bool:
        """Whether a name can only be firmware; what is not, is never sent from here."""
        return _PLACE.fullmatch(name) is not None or name.lower() in self._bare

    @staticmethod
    def is_folder(name: str) -> bool:
        """Whether a name, without slashes around it, is that of a folder in which firmware may be."""
        return _FOLDERS.fullmatch(name) is not None

    def find(self, name: str, asker: Callable[[], str]) -> StoredFile | None:
        """The file of that name.

        Args:
            name: without slashes before it, in any case.
            asker: the MAC address of who asks; empty when that is not known.
        """
        if (place := _PLACE.fullmatch(name)) is not None:
            device_id = self._devices.get(place[1].lower())
            if device_id is None or self._wanted.get(device_id) != place[2]:
                return None
            digests = {each.lower(): digest for each, digest in self._images[place[2]].files}
            return self._file(digests.get(place[3].lower()), device_id)
        holders = self._bare.get(name.lower())
        if holders is None:
            return None
        device_id = self._devices.get(asker())
        if device_id is not None:
            return self._file(holders.get(device_id), device_id)
        # A request by TFTP does not say who asks: then the name has to mean one thing only.
        return self._file(next(iter(holders.values())), None) if len(set(holders.values())) == 1 else None

    def _file(self, digest: str | None, device_id: str | None) -> StoredFile | None:
        path = self._path(digest) if digest is not None else None
        if path is None:
            return None
        try:
            return StoredFile(path, path.stat().st_size, f'"{digest}"', device_id)
        except FileNotFoundError:
            return None

    def _path(self, digest: str) -> Path | None:
        path = self._blobs / digest if self._blobs is not None else None
        return path if path is not None and path.is_file() else None
