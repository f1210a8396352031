"""A plug-in's folder in one ZIP archive: unpacked in memory only, with limits, and packed again in one form.

Nothing is ever written by a name of the archive's, and what an archive says of its sizes is not believed.
"""

import io
import re
import stat
import zipfile
import zlib
from typing import Final

from contract.devices.folder import FOLDERS, MAX_FILE_BYTES, MAX_FILES, MAX_FOLDER_BYTES, Folder
from contract.devices.problems import PluginProblems, Problem

MAX_PACKED_BYTES: Final = 256 * 1024
_NAME = re.compile(rf"(?:(?:{'|'.join(FOLDERS)})/)?[0-9A-Za-z_][0-9A-Za-z_.-]{{0,127}}")
_MOMENT: Final = (2000, 1, 1, 0, 0, 0)
_READABLE: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def unpack(data: bytes, vendor: str) -> Folder:
    """The files of an archive; one folder around all of them is taken away.

    Args:
        data: the archive.
        vendor: what the plug-in is called, for problems.

    Raises:
        PluginProblems: naming every entry that is not taken, and why.
    """
    if len(data) > MAX_PACKED_BYTES:
        raise PluginProblems((Problem(vendor, 0, f"the archive is larger than {MAX_PACKED_BYTES} bytes"),))
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, UnicodeDecodeError):
        raise PluginProblems((Problem(vendor, 0, "not a ZIP archive"),)) from None
    if len(entries) > MAX_FILES:
        raise PluginProblems((Problem(vendor, 0, f"more than {MAX_FILES} files"),))
    outer = _outer([entry.filename for entry in entries])
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    left = MAX_FOLDER_BYTES
    for entry in entries:
        name = entry.filename.removeprefix(outer)
        if (text := _refusal(entry, name, found)) is not None:
            problems.append(Problem(f"{vendor}/{_shown(name)}", 0, text))
            continue
        content = _content(archive, entry, min(MAX_FILE_BYTES, left))
        if content is None:
            problems.append(Problem(f"{vendor}/{name}", 0, "damaged, or larger than is taken"))
            continue
        left -= len(content)
        found[name] = content
    if problems:
        raise PluginProblems(tuple(sorted(set(problems))))
    return found


def pack(folder: Folder) -> bytes:
    """The archive of a folder: the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(folder):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), folder[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _outer(names: list[str]) -> str:
    """The folder around everything, with its slash; empty when there is none."""
    firsts = {name.partition("/")[0] for name in names}
    if len(firsts) == 1 and all("/" in name for name in names) and not firsts & set(FOLDERS):
        return f"{firsts.pop()}/"
    return ""


def _refusal(entry: zipfile.ZipInfo, name: str, found: dict[str, bytes]) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is no plain file"
    if not _NAME.fullmatch(name) or ".." in name:
        return f"a file is called by letters, digits, _, - and ., and stands in the folder or in {' or '.join(FOLDERS)}"
    if name in found:
        return "is there twice"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.compress_type not in _READABLE:
        return "is packed by a method that is not taken"
    return None


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes | None:
    """What is in an entry; None when it is damaged or holds more than `limit` bytes, whatever it says itself."""
    try:
        with archive.open(entry) as file:
            content = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError, EOFError, RuntimeError):
        return None
    return content if len(content) <= limit else None


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:100]
