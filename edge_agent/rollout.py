"""Bringing one configuration into every process, all or nothing.

Two phases: every running process *prepares*; one that refuses ends the attempt and the old version goes on. Then the
snapshot becomes the one on disk, and every process *commits*; one that fails to is started again and gets the new
version as any started process does. A process that is not running refuses nothing: it must not hold up the others.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from contract.snapshot import Snapshot
from contract.sync.state import StateRecord
from edge_agent.processes.link import Prepare, Refused, SetState
from edge_agent.processes.supervisor import ProcessGone, Supervised
from edge_agent.sync.store import SnapshotStore

log = logging.getLogger(__name__)

PREPARE_ATTEMPTS: Final = 2
"""A process that ends while it prepares may have been killed for another reason; the second time it is its answer."""
MAX_PROBLEMS: Final = 50


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration is joined with at this machine: who is where, and how phones reach it.

    Args:
        services: the URI of each voice service, by its name.
        sip_host: the name or address that phones register with.
        sip_ports: `udp` and `tcp`.
        own_hosts: every further name and address that means this edge.
    """

    services: Mapping[str, str] = field(default_factory=dict)
    sip_host: str = ""
    sip_ports: Mapping[str, int] = field(default_factory=dict)
    own_hosts: tuple[str, ...] = ()


class Rollout:
    """The configuration that runs, and how another one takes its place.

    Args:
        processes: all of them; they need not be up.
        store: where the last good snapshot lies.
        surroundings: asked at each configuration.
        state: every site state record, asked at each configuration.
        on_refused: called with a process and its problems when it refuses the version that already runs.
    """

    def __init__(
        self,
        processes: Sequence[Supervised],
        store: SnapshotStore,
        surroundings: Callable[[], Surroundings],
        state: Callable[[], tuple[StateRecord, ...]],
        on_refused: Callable[[str, tuple[str, ...]], None],
    ) -> None:
        self._processes = tuple(processes)
        self._store = store
        self._surroundings = surroundings
        self._state = state
        self._on_refused = on_refused
        self._lock = asyncio.Lock()
        self._begun = False
        self._current: Snapshot | None = None
        self._secrets: Mapping[str, SecretStr] = {}
        self._used = Surroundings()

    @property
    def current(self) -> Snapshot | None:
        """The snapshot that runs."""
        return self._current

    async def begin(self, snapshot: Snapshot | None, secrets: Mapping[str, SecretStr], wait_seconds: float) -> None:
        """Run what was on disk, once the processes are up or this many seconds have passed."""
        await asyncio.gather(*(process.wait_up(wait_seconds) for process in self._processes))
        async with self._lock:
            self._begun, self._current, self._secrets = True, snapshot, secrets
            self._used = self._surroundings()
            await asyncio.gather(*(self._bring_up(process) for process in self._processes if process.is_up))

    async def apply(self, snapshot: Snapshot, secrets: Mapping[str, SecretStr]) -> tuple[str, ...]:
        """Put `snapshot` in the place of the one that runs.

        Returns:
            Why it was refused; nothing when it runs now and is on disk.
        """
        missing = sorted(snapshot.secret_refs() - secrets.keys())
        if missing:
            return (f"{len(missing)} secrets are missing here, such as {missing[0]}",)
        async with self._lock:
            self._begun = True
            used = self._surroundings()
            message = self._message(snapshot, secrets, used)
            answers = await asyncio.gather(
                *(self._prepare(process, message) for process in self._processes if process.is_up)
            )
            problems = tuple(problem for answer in answers for problem in answer)
            if problems:
                log.warning("snapshot_rejected", extra={"version": snapshot.version, "problems": problems})
                return problems[:MAX_PROBLEMS]
            try:
                await asyncio.to_thread(self._store.save, snapshot)
            except OSError as error:
                return (f"the edge's disk does not take the configuration: {error.strerror}",)
            self._current, self._secrets, self._used = snapshot, dict(secrets), used
            await asyncio.gather(*(self._commit(process) for process in self._processes if process.is_up))
            log.info("snapshot_applied", extra={"version": snapshot.version})
            return ()

    async def configure(self, process: Supervised) -> None:
        """Bring a process that was (re)started to the version that runs."""
        async with self._lock:
            if self._begun and process.is_up and process.status.state != "configured":
                await self._bring_up(process)
        await self.refresh()

    async def refresh(self) -> None:
        """Configure every process anew if the surroundings are not what they were."""
        async with self._lock:
            if not self._begun or self._current is None or (now := self._surroundings()) == self._used:
                return
            log.info("surroundings_changed", extra={"sip_host": now.sip_host, "services": dict(now.services)})
            self._used = now
            await asyncio.gather(*(self._bring_up(process) for process in self._processes if process.is_up))

    def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """Tell every process about site state records that are new."""
        for process in self._processes:
            process.set_state(SetState(records=records))

    async def _bring_up(self, process: Supervised) -> None:
        if self._current is None:
            return
        try:
            answer = await process.prepare(self._message(self._current, self._secrets, self._used))
            if isinstance(answer, Refused):
                log.error("running_version_refused", extra={"subsystem": process.name, "problems": answer.problems})
                self._on_refused(process.name, answer.problems)
                return
            await process.commit(self._current.version)
        except ProcessGone as error:
            log.warning("process_not_configured", extra={"subsystem": process.name, "problem": str(error)})

    async def _prepare(self, process: Supervised, message: Prepare) -> tuple[str, ...]:
        problem = ""
        for _ in range(PREPARE_ATTEMPTS):
            try:
                answer = await process.prepare(message)
            except ProcessGone as error:
                problem = str(error)
                process.restart("did not prepare a configuration")
                await process.wait_up_again()
                continue
            if isinstance(answer, Refused):
                return tuple(f"{process.name}: {text}" for text in answer.problems)
            return ()
        return (problem,)

    async def _commit(self, process: Supervised) -> None:
        if self._current is None:
            return
        try:
            await process.commit(self._current.version)
        except ProcessGone as error:
            log.warning("process_did_not_commit", extra={"subsystem": process.name, "problem": str(error)})

    def _message(self, snapshot: Snapshot, secrets: Mapping[str, SecretStr], around: Surroundings) -> Prepare:
        wanted = snapshot.secret_refs()
        return Prepare(
            version=snapshot.version,
            snapshot=snapshot,
            secrets={ref: value for ref, value in secrets.items() if ref in wanted},
            state=self._state(),
            services=dict(around.services),
            sip_host=around.sip_host,
            sip_ports=dict(around.sip_ports),
            own_hosts=around.own_hosts,
        )
