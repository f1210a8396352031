"""Where a database lies whose own user cannot enter the folder that it belongs to.

The folder keeps a file that names the place, and the place one that names the folder. So a folder that was removed
(`make clean`, a test's) takes its database along: the next one to be placed finds that nobody claims it any more.
"""

import fcntl
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import Final

ROOT: Final = Path("/var/lib/tandem-postgres")
_PLACE: Final = "postgres-is-at"
_OWNER: Final = "belongs-to"


def place_outside(folder: Path, root: Path = ROOT) -> Path:
    """The place of this folder's database, the same each time; new when the folder is new.

    Args:
        folder: absolute; it exists.
        root: whose folders every user may enter.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_unclaimed(root)
        claim = folder / _PLACE
        if claim.exists() and (place := root / Path(claim.read_text(encoding="utf-8")).name).is_dir():
            return place
        place = Path(tempfile.mkdtemp(dir=root))
        place.chmod(0o755)
        (place / _OWNER).write_text(str(folder), encoding="utf-8")
        claim.write_text(place.name, encoding="utf-8")
        return place


def _remove_unclaimed(root: Path) -> None:
    for place in root.iterdir():
        owner = place / _OWNER
        if not owner.exists():
            continue
        claim = Path(owner.read_text(encoding="utf-8")) / _PLACE
        claimed = claim.exists() and claim.read_text(encoding="utf-8") == place.name
        if not claimed and not _runs(place / "data"):
            rmtree(place, ignore_errors=True)


def _runs(data: Path) -> bool:
    """Whether a server works on this data folder."""
    try:
        return Path("/proc", (data / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0]).exists()
    except (OSError, UnicodeError):
        return False
