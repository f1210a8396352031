"""The cloud as one edge sees it: a real hub that a test lets the edge reach, or cuts off, while the edge runs."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from cloud.hub.questions import KnownEdge
from contract.snapshot import Snapshot
from contract.sync.events import CallEnded, Happening
from contract.sync.messages import Command
from contract.values import Digest
from edge_agent.clock import SystemClock
from edge_agent.sync.identity import EdgeKeys, Identity
from edge_agent.sync.outbox import Outbox
from edge_agent.tokens import SystemTokens
from tests.support.edge_process import EdgeProcess
from tests.support.memory_store import MemoryStore
from tests.support.real_hub import RealHub, new_authority
from tests.support.waiting import eventually


class ReachableCloud:
    """`cloud.hub` over a store in memory, in a thread of its own.

    Args:
        folder: for its certificate.
        snapshot: what it has published to the edge's site.
        state: `reached`, or `cut`: it has an address, where nobody answers.
    """

    def __init__(self, folder: Path, snapshot: Snapshot, state: str = "reached") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        keys = EdgeKeys.generate()
        site_id, tenant_id = snapshot.site.site_id, snapshot.site.tenant_id
        known = KnownEdge("edge-1", site_id, tenant_id, keys.identity_public, keys.sealing_public)
        self._store = MemoryStore(edges={known.edge_id: known}, snapshots={snapshot.version: snapshot})
        self._hub = RealHub(self._store, new_authority(folder), folder / "hub")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._hub.start())
        self.is_reached = True
        self.identity: Identity = self._hub.identity(known.edge_id, site_id, keys)
        """Of the edge, leading here."""
        if state == "cut":
            self.cut()

    def reach(self) -> None:
        """From now on it answers, at the same address."""
        if not self.is_reached:
            self._do(self._hub.start())
            self.is_reached = True

    def cut(self) -> None:
        """Gone without a word, as in an outage."""
        if self.is_reached:
            self._do(self._hub.stop(politely=False))
            self.is_reached = False

    def is_known_to(self, edge: EdgeProcess) -> None:
        """Wait until the edge knows whether it is reached."""
        state = "reached" if self.is_reached else "cut"
        eventually(lambda: edge.status().get("online") is self.is_reached, 60, f"the cloud is {state}")

    def happened(self, state_dir: Path) -> list[Happening]:
        """What the edge has to tell, in its order: what has come, and what waits for it on the edge's disk."""
        outbox = Outbox.open(state_dir / "outbox.db", SystemClock(), SystemTokens())
        try:
            told = {event.sequence: event.body for event in outbox.read(0, 500)}
        finally:
            outbox.close()
        told |= {sequence: body for (_, _, sequence), body in list(self._store.events.items())}
        return [told[number].what for number in sorted(told)]

    def calls(self, state_dir: Path) -> list[CallEnded]:
        """Every call's record, in their order."""
        return [one for one in self.happened(state_dir) if isinstance(one, CallEnded)]

    def told(self) -> list[Happening]:
        """What edges told, in the order of their numbers."""
        events = sorted(dict(self._store.events).items(), key=lambda one: one[0][2])
        return [body.what for _, body in events]

    def takes(self, digest: Digest, size_bytes: int) -> None:
        """It takes a recording of this digest."""
        self._store.sizes[digest] = size_bytes

    def recording(self, digest: Digest) -> bytes:
        """What has come of a recording."""
        return bytes(self._store.recordings.get(digest, b""))

    def order(self, name: str, arguments: dict[str, str]) -> None:
        """Have the edge do something."""
        self._store.commands.append(Command(command_id=f"command-{name}", name=name, arguments=arguments))

    def close(self) -> None:
        """End it."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
