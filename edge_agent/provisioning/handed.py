"""Which files each device is known to have been told of, so that a change is not lost while this process is down.

A device's digest is remembered as settled once its phone has fetched, or was given up; until then a change counts as
not told, also after a restart. Pure: the caller keeps `content` on the disk while `dirty`.
"""

import json
from collections.abc import Mapping

MAX_BYTES = 8 * 1024 * 1024


class Handed:
    """The files of the site's devices, by digest.

    Args:
        content: what an earlier process kept; anything else than that is as good as nothing.
    """

    def __init__(self, content: bytes = b"") -> None:
        self._settled = _read(content)
        self._current: dict[str, str] = {}
        self.dirty = False
        """Whether `content` says more than what was kept last."""

    def serve(self, digests: Mapping[str, str]) -> tuple[str, ...]:
        """From here on, these are the devices' files; returns the devices that have to be told, sorted.

        Those are the ones not known to have their files, unless they were told of these already. A device that is seen
        for the first time fetches when it starts: it is none of them.
        """
        before, self._current = self._current, dict(digests)
        kept = {device_id: digest for device_id, digest in self._settled.items() if device_id in digests}
        new = {device_id: digest for device_id, digest in digests.items() if device_id not in kept}
        if new or len(kept) != len(self._settled):
            self._settled, self.dirty = {**kept, **new}, True
        return tuple(
            sorted(
                device_id
                for device_id, digest in digests.items()
                if self._settled[device_id] != digest and before.get(device_id) != digest
            )
        )

    def settled(self, device_id: str) -> None:
        """The device has its files, or will not be told of them again."""
        digest = self._current.get(device_id)
        if digest is not None and self._settled.get(device_id) != digest:
            self._settled[device_id] = digest
            self.dirty = True

    @property
    def content(self) -> bytes:
        """What is to be kept."""
        return json.dumps(self._settled).encode()


def _read(content: bytes) -> dict[str, str]:
    try:
        read = json.loads(content) if content and len(content) <= MAX_BYTES else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    return {device_id: digest for device_id, digest in read.items() if isinstance(digest, str)}
