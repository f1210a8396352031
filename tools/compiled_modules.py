"""Which modules of the edge agent are compiled: those that every SIP message goes through."""

from pathlib import Path
from typing import Final

WHOLE: Final = ("message", "transaction", "proxy", "registrar")
"""Folders of `edge_agent/sip` of which every module is compiled."""
SINGLE: Final = ("authentication", "endpoint", "location", "lockout", "overload")
"""Modules of `edge_agent/sip` itself."""


def compiled_modules(tree: Path) -> list[Path]:
    """The files, relative to `tree`, which has the folder edge_agent in it."""
    sip = tree / "edge_agent" / "sip"
    files = [path for name in WHOLE for path in (sip / name).glob("*.py") if path.name != "__init__.py"]
    files += [sip / f"{name}.py" for name in SINGLE]
    return sorted(path.relative_to(tree) for path in files)
