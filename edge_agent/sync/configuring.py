"""Taking what the cloud wants, one thing after the other: secrets kept, snapshots handed over, verdicts told."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from pydantic import SecretStr

from contract.snapshot import Snapshot, parse_snapshot
from contract.snapshot.snapshot import SnapshotProblems, snapshot_digest
from contract.sync.delta import DeltaMismatch, apply
from contract.sync.messages import Applied, Rejected, SealedSecret
from contract.sync.state import StateRecord
from edge_agent.sync.identity import Identity, UnsealFailed
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.session import TakeDelta, TakeSecrets, TakeSnapshot
from edge_agent.sync.site import Refused, Running, SiteHandlers

log = logging.getLogger(__name__)

_MAX_PROBLEMS = 50
_MAX_PROBLEM = 1024


class Configuring:
    """Outlives connections: what was begun on one is finished, and told on the next.

    Args:
        identity: opens sealed secrets.
        handlers: the agent.
        secrets: where secrets are kept.
        tell: is given each verdict.
    """

    def __init__(
        self,
        identity: Identity,
        handlers: SiteHandlers,
        secrets: SecretStore,
        tell: Callable[[Applied | Rejected], None],
    ) -> None:
        self._identity = identity
        self._handlers = handlers
        self._secrets = secrets
        self._tell = tell
        self._waiting: deque[TakeSnapshot | TakeDelta | TakeSecrets | tuple[StateRecord, ...]] = deque()
        self._something = asyncio.Event()
        self._held: Snapshot | None = None
        """Waits for files that it needs."""
        self._came = False

    def take(self, action: TakeSnapshot | TakeDelta | TakeSecrets) -> None:
        """Take this after everything that came before."""
        self._waiting.append(action)
        self._something.set()

    def take_state(self, records: tuple[StateRecord, ...]) -> None:
        """Tell the agent of these records."""
        if records:
            self._waiting.append(records)
            self._something.set()

    def blobs_came(self) -> None:
        """A file is here that was not: what waited for its files is tried again."""
        self._came = True
        self._something.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, TakeSecrets):
                    await self._keep(item.secrets)
                elif isinstance(item, TakeSnapshot):
                    await self._take_snapshot(item)
                elif isinstance(item, TakeDelta):
                    await self._take_delta(item)
                else:
                    await self._handlers.on_state(item)
            if self._came:
                self._came = False
                if self._held is not None:
                    await self._offer(self._held)

    async def _keep(self, sealed: tuple[SealedSecret, ...]) -> None:
        opened, failed = await asyncio.to_thread(self._unseal, sealed)
        if failed:
            log.error("secrets_not_for_this_edge", extra={"count": failed})
        try:
            self._secrets.add(opened)
        except OSError:
            # Without them on disk the snapshot must not run: `_offer` sees that they are missing.
            log.exception("secrets_not_kept")

    def _unseal(self, sealed: tuple[SealedSecret, ...]) -> tuple[dict[str, SecretStr], int]:
        opened: dict[str, SecretStr] = {}
        failed = 0
        for secret in sealed:
            try:
                value = self._identity.keys.unseal(self._identity.edge_id, secret.ref, secret.sealed)
                opened[secret.ref] = SecretStr(value.decode())
            except (UnsealFailed, UnicodeDecodeError):
                failed += 1
        return opened, failed

    async def _take_snapshot(self, action: TakeSnapshot) -> None:
        try:
            snapshot = parse_snapshot(action.content)
        except SnapshotProblems as error:
            self._reject(action.version, error.problems)
            return
        if snapshot.version != action.version:
            self._reject(action.version, (f"announced as version {action.version}, is {snapshot.version}",))
            return
        await self._offer(snapshot)

    async def _take_delta(self, action: TakeDelta) -> None:
        running = self._handlers.running()
        wanted = action.delta.to_version
        if running is None:
            self._reject(wanted, ("there is no snapshot here to change",), resend=True)
            return
        if running.version == wanted:
            self._tell(Applied(version=wanted, digest=snapshot_digest(running)))
            return
        try:
            snapshot = apply(running, action.delta)
        except DeltaMismatch as error:
            self._reject(wanted, (str(error),), resend=True)
            return
        await self._offer(snapshot)

    async def _offer(self, snapshot: Snapshot) -> None:
        self._held = None
        running = self._handlers.running()
        missing = snapshot.secret_refs() - self._secrets.refs()
        if missing:
            log.warning("secrets_missing", extra={"count": len(missing), "version": snapshot.version})
        verdict = await self._handlers.on_snapshot(snapshot, self._secrets.values())
        match verdict:
            case Running():
                self._forget_old_secrets(snapshot, running)
                self._tell(Applied(version=snapshot.version, digest=snapshot_digest(snapshot)))
            case Refused():
                self._held = snapshot if verdict.waits else None
                self._reject(snapshot.version, verdict.problems)

    def _forget_old_secrets(self, snapshot: Snapshot, previous: Snapshot | None) -> None:
        """The previous snapshot's stay: it is what a damaged current one falls back to."""
        before = previous.secret_refs() if previous is not None else frozenset()
        try:
            self._secrets.keep_only(snapshot.secret_refs() | before)
        except OSError:
            log.exception("secrets_not_trimmed")

    def _reject(self, version: int, problems: tuple[str, ...], *, resend: bool = False) -> None:
        told = tuple(p.replace("\0", "\ufffd")[:_MAX_PROBLEM] for p in problems[:_MAX_PROBLEMS])
        told = told or ("no reason was given",)
        log.warning("snapshot_rejected", extra={"version": version, "problems": told})
        self._tell(Rejected(version=version, problems=told, resend=resend))
