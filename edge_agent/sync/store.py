"""The last good snapshot on disk: what the agent starts from, whether or not the cloud can be reached."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Final

from contract.snapshot import Snapshot, parse_snapshot
from contract.snapshot.snapshot import SnapshotProblems
from contract.values import Digest
from edge_agent.durable_file import flush_folder, write_durably
from edge_agent.sync.errors import SyncError

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 96 * 1024 * 1024
_HEAD: Final = b"tandem-snapshot-1 "


class _Unusable(SyncError):
    """A snapshot file that is not whole or not valid."""


class SnapshotStore:
    """`current.json` and `previous.json` in one folder; each is one line with the digest, then the snapshot.

    Args:
        folder: `<state_dir>/snapshot`.
    """

    def __init__(self, folder: Path) -> None:
        self._current = folder / "current.json"
        self._previous = folder / "previous.json"

    def load(self) -> Snapshot | None:
        """The newest snapshot that is whole and valid, or None. Never raises for what lies on the disk."""
        for path in (self._current, self._previous):
            try:
                return _read(path)
            except FileNotFoundError:
                continue
            except (_Unusable, OSError) as error:
                log.warning("snapshot_unusable", extra={"path": str(path), "reason": str(error)})
        return None

    def kept_blobs(self) -> frozenset[Digest]:
        """The blobs that the files on disk name, the previous one's too: rolling back finds them."""
        found: set[Digest] = set()
        for path in (self._current, self._previous):
            try:
                content = json.loads(_check(path))
                found.update(blob["digest"] for blob in content.get("blobs", ()))
            except (_Unusable, OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
                continue
        return frozenset(found)

    def save(self, snapshot: Snapshot) -> None:
        """Make `snapshot` the current one, durably; what was current becomes the previous one if it was good.

        Raises:
            OSError: the disk would not; then the last good snapshot is still there.
        """
        text = snapshot.model_dump_json().encode()
        try:
            good = _check(self._current) is not None
        except (_Unusable, OSError):
            good = False
        if good:
            # The same bytes under the second name first, so that no moment is without a good file.
            write_durably(self._previous, self._current.read_bytes())
        write_durably(self._current, _HEAD + hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
        flush_folder(self._current.parent)


def _check(path: Path) -> bytes:
    """The snapshot's text in a file whose digest holds."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise _Unusable("larger than a snapshot can be")
    head, _, text = content.partition(b"\n")
    if head != _HEAD + hashlib.sha256(text).hexdigest().encode():
        raise _Unusable("cut off or changed: its digest does not hold")
    return text


def _read(path: Path) -> Snapshot:
    try:
        return parse_snapshot(json.loads(_check(path)))
    except SnapshotProblems as error:
        raise _Unusable(str(error)) from None
    except (ValueError, RecursionError):
        raise _Unusable("not JSON") from None
