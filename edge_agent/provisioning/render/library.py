"""The files that can be asked for: a dictionary of known names, never a path on a disk."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file, ready to be sent."""

    name: str
    """Lower case."""
    body: bytes = field(repr=False)
    content_type: str
    device_id: str | None
    """Whose file it is, and then it holds secrets; None: the same for every phone of a model."""
    etag: str

    @classmethod
    def of(cls, name: str, body: bytes, content_type: str, device_id: str | None) -> "RenderedFile":
        """A file whose entity tag is the SHA-256 of its body."""
        digest = hashlib.sha256(body).hexdigest()
        return cls(name.lower(), body, content_type, device_id, f'"{digest[:32]}"')


class Library:
    """Every file of one configuration, and the MAC addresses that it knows."""

    def __init__(self, files: Iterable[RenderedFile] = (), device_ids: Mapping[str, str] | None = None) -> None:
        self._files = {file.name: file for file in files}
        self._device_ids = dict(device_ids or {})
        self._macs = {device_id: mac for mac, device_id in self._device_ids.items()}

    def find(self, name: str) -> RenderedFile | None:
        """The file of that name, whatever its case."""
        return self._files.get(name.lower())

    def device_id(self, mac: str) -> str | None:
        """The device with that MAC address (twelve lower-case digits), or None when the site does not know it."""
        return self._device_ids.get(mac)

    def mac(self, device_id: str) -> str:
        """The MAC address of a device; empty when the site does not know it."""
        return self._macs.get(device_id, "")

    def digests(self) -> dict[str, str]:
        """One digest of all files of each device's own."""
        return {
            device_id: hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:32]
            for device_id, files in self.own_files().items()
        }

    def own_files(self) -> dict[str, dict[str, str]]:
        """The files of each device's own: name → entity tag."""
        found: dict[str, dict[str, str]] = {}
        for file in self._files.values():
            if file.device_id is not None:
                found.setdefault(file.device_id, {})[file.name] = file.etag
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, sorted."""
        return tuple(sorted(self._files))
