"""Which modules of the edge agent are compiled: those that every SIP message goes through."""

from pathlib import Path
from typing import Final

WHOLE: Final = ("message", "transaction", "proxy", "registrar")
"""Folders of `edge_agent/sip` of which every module is compiled."""
SINGLE: Final = (
    "contract/dialplan/decide",
    "contract/dialplan/route",
    "edge_agent/append_log",
    "edge_agent/clock",
    "edge_agent/processes/reporting",
    "edge_agent/sip/authentication",
    "edge_agent/sip/endpoint",
    "edge_agent/sip/location",
    "edge_agent/sip/lockout",
    "edge_agent/sip/observation/tape",
    "edge_agent/sip/overload",
    "edge_agent/sip/resolver/numeric",
    "edge_agent/sip/transport/transport",
    "edge_agent/sip/transport/udp",
    "edge_agent/sync/held_events",
    "edge_agent/tokens",
)
"""Further modules, by their place in the tree."""


def compiled_modules(tree: Path) -> list[Path]:
    """The files, relative to `tree`, which has the folders contract and edge_agent in it."""
    sip = tree / "edge_agent" / "sip"
    files = [path for name in WHOLE for path in (sip / name).glob("*.py") if path.name != "__init__.py"]
    files += [tree / f"{name}.py" for name in SINGLE]
    return sorted(path.relative_to(tree) for path in files)
