"""Callers of queues on the disk, one file each: what was promised to them and their stories outlive the process.

Whoever is to be called back is so after a kill or a power cut; whoever waited or talked when the process was killed is
at least told of.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from contract.sync.queue_events import QueueCallEnded
from contract.values import Frozen, Text, UtcTime
from edge_agent.durable_file import set_aside, write_durably

log = logging.getLogger(__name__)

MAX_FILES: Final = 2000
"""Read at the start; a site has far fewer callers at one time."""
MAX_BYTES: Final = 65_536


class KeptWish(Frozen):
    """To be called back.

    Args:
        number: as the caller shows it, or keyed it in.
        dialled: what leads there.
        until: for so long the wish is kept.
        not_before: of the next attempt, where one failed.
        attempts: that failed.
        given_up: how often an agent went before it was known whether the attempt would fail.
    """

    number: Text
    dialled: Text
    until: UtcTime
    not_before: UtcTime | None = None
    attempts: Annotated[int, Field(ge=0)] = 0
    given_up: Annotated[int, Field(ge=0)] = 0


class KeptCaller(Frozen):
    """A caller.

    Args:
        told: the story, as if all had ended when it was written.
        wish: to be called back; None: waits or talks.
    """

    told: QueueCallEnded
    wish: KeptWish | None = None


class CallerFolder:
    """Where they are. Writing happens in a thread of its own, in turn.

    Args:
        folder: made when it is missing.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue-callers")

    def load(self) -> list[KeptCaller]:
        """Everybody who was kept, in the order of their coming; what cannot be read is set aside. Reads the disk."""
        found: list[KeptCaller] = []
        for path in sorted(self._folder.glob("*.json"))[:MAX_FILES]:
            try:
                if path.stat().st_size > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
                found.append(KeptCaller.model_validate_json(path.read_bytes()))
            except (OSError, ValidationError, ValueError) as error:
                log.warning("queue_caller_unreadable", extra={"file": path.name, "reason": type(error).__name__})
                set_aside(path)
        return sorted(found, key=lambda one: one.told.came_at)

    def keep(self, caller: KeptCaller) -> asyncio.Future[None]:
        """Write a caller down, in the place of what was known; done once the disk has it. `OSError`: it would not."""
        content = caller.model_dump_json().encode()
        path = self._path(caller.told.call_id)
        return asyncio.get_running_loop().run_in_executor(self._thread, write_durably, path, content)

    def forget(self, call_id: str) -> None:
        """All was told of a caller; from any thread."""
        try:
            self._thread.submit(self._path(call_id).unlink, missing_ok=True)
        except RuntimeError:  # it is closed: what waited is written
            self._path(call_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Write what waits."""
        self._thread.shutdown(wait=True)

    def _path(self, call_id: str) -> Path:
        return self._folder / f"{call_id}.json"
