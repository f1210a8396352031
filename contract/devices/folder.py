"""A plug-in's folder as names and bytes: read from a disk or a package, with limits."""

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Final

from contract.devices.problems import PluginProblems, Problem

MAX_FILES: Final = 200
MAX_FILE_BYTES: Final = 1 << 20
MAX_FOLDER_BYTES: Final = 8 << 20
FOLDERS: Final = ("templates", "languages")
"""The folders inside a plug-in's folder."""

Folder = Mapping[str, bytes]
"""Path inside the folder, such as `templates/device.cfg.j2` → content."""


def read_folder(place: Traversable) -> Folder:
    """Everything of a plug-in's folder; what begins with a point is left out.

    Raises:
        PluginProblems: too many or too large files.
    """
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    places = [("", place), *((f"{name}/", place / name) for name in FOLDERS)]
    for prefix, folder in places:
        for entry in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
            path = f"{prefix}{entry.name}"
            if entry.name.startswith(".") or not entry.is_file():
                continue
            data = entry.read_bytes()
            if len(data) > MAX_FILE_BYTES:
                problems.append(Problem(f"{place.name}/{path}", 0, f"larger than {MAX_FILE_BYTES} bytes"))
                continue
            found[path] = data
    problems += folder_problems(place.name, found)
    if problems:
        raise PluginProblems(tuple(problems))
    return found


def folder_problems(name: str, folder: Folder) -> list[Problem]:
    """What is too much about a folder."""
    problems = []
    if len(folder) > MAX_FILES:
        problems.append(Problem(name, 0, f"more than {MAX_FILES} files"))
    if sum(map(len, folder.values())) > MAX_FOLDER_BYTES:
        problems.append(Problem(name, 0, f"more than {MAX_FOLDER_BYTES} bytes in all"))
    return problems
