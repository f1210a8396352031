"""The edge's pinned requirements, as they apply to another Python than the one that runs here.

pip judges the markers of a requirements file by the Python that runs it, even when it downloads for another; so the
lines are chosen here first.
"""

import re
from collections.abc import Iterator
from typing import Final

from packaging.requirements import Requirement

_PLATFORM: Final = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}


def requirements_for(text: str, python: str) -> str:
    """The lines of a requirements file that apply to CPython `python` (such as `3.12`) on x86-64 Linux.

    Args:
        text: pinned requirements with hashes, markers allowed.
        python: major and minor version.

    Returns:
        The same with the markers gone.
    """
    environment = {**_PLATFORM, "python_version": python, "python_full_version": f"{python}.0"}
    kept = []
    for line in _logical_lines(text):
        head, *hashes = re.split(r"\s+(?=--hash=)", line)
        requirement = Requirement(head)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            requirement.marker = None
            kept.append(" ".join((str(requirement), *hashes)))
    return "\n".join(kept) + "\n"


def _logical_lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield line
