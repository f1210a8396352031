"""Files that are whole or not there: written aside, flushed to disk, then given their name."""

import contextlib
import os
from pathlib import Path
from typing import Final

LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
"""What has to be free on the disk for another recording to begin."""


def write_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the content of `path`; a crash at any moment leaves the old content or the new.

    Args:
        path: the file; its folder is made if it is missing.
        content: all of it.
        mode: the file's permissions from its first moment on.

    Raises:
        OSError: the disk would not.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        aside.unlink()
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> Path | None:
    """Move an unusable file out of the way, keeping it for whoever looks into it; only the newest one is kept.

    Returns:
        Where it went, or None when there was nothing or it would not move (then it is left).
    """
    aside = path.with_name(f"{path.name}.corrupt")
    try:
        path.replace(aside)
    except OSError:
        return None
    return aside
