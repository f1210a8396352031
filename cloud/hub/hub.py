"""All connections of one hub process: performs what their sessions ask, and decides which connection an edge has.

Runs on one event loop; the database is asked in threads and never blocks it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, assert_never

from cloud.clock import Clock
from cloud.hub.actions import Action, Ask, Close, Send, SessionSettings, WentOnline
from cloud.hub.errors import StoreUnavailable
from cloud.hub.questions import (
    Answer,
    FetchPiece,
    KeepPiece,
    KnownEdge,
    Opened,
    Peer,
    Question,
    SiteStore,
)
from cloud.hub.session import HubSession, State
from contract.sync.codec import CodecError, encode

log = logging.getLogger(__name__)

_SWEEP_SECONDS: Final = 0.25
"""How exactly sessions' deadlines are kept; they are seconds."""
MAX_INBOUND_BYTES: Final = 2 * 1024 * 1024
"""One encoded message from an edge: a Hello with very many secret references is the largest."""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Limits and times of a hub process.

    Args:
        session: the times of each session.
        lease_renewal: seconds between renewals of the leases; they last several times as long.
        poll: seconds between looks at the database for changes that no notification announced.
        sweep: seconds between looks for recordings that nothing needs any more.
        max_connections: at once; more are turned away.
        max_strangers: connections at once that have not said who they are yet.
    """

    session: SessionSettings = field(default_factory=SessionSettings)
    lease_renewal: float = 5.0
    poll: float = 3.0
    sweep: float = 300.0
    max_connections: int = 20_000
    max_strangers: int = 2_000


class Link(Protocol):
    """A transport's connection, as the hub uses it. Never raises; what cannot be sent any more is dropped."""

    def send(self, payload: bytes) -> None:
        """Send one encoded message."""
        ...

    def close(self) -> None:
        """Send what was given so far, then close."""
        ...


class Connection:
    """One session on one link."""

    __slots__ = ("_hub", "_link", "mark", "peer", "session")

    def __init__(self, hub: "Hub", link: Link, peer: Peer, session: HubSession) -> None:
        self._hub = hub
        self._link = link
        self.peer = peer
        self.session = session
        self.mark = ""
        """What the last poll said; see `SiteStore.look_after`."""

    def received(self, payload: bytes) -> None:
        """One encoded message came."""
        self.perform(self.session.receive_payload(payload, self._hub.now()))

    def unreadable(self, error: CodecError) -> None:
        """What came is no message."""
        self.perform(self.session.unreadable(error))

    def lost(self) -> None:
        """The link is gone; harmless when that is known."""
        self.session.lost()
        self._hub.gone(self)

    def perform(self, actions: list[Action]) -> None:
        """Do what the session wants."""
        for action in actions:
            match action:
                case Send():
                    self._send(action)
                case Ask():
                    self._hub.ask(self, action.question)
                case WentOnline():
                    self._hub.went_online(self, action.edge)
                case Close():
                    log.info("connection_closed", extra={"connection": self.peer.connection, "why": action.why})
                    self._link.close()
                    self._hub.gone(self)
                case _:
                    assert_never(action)

    def _send(self, action: Send) -> None:
        try:
            self._link.send(encode(action.message))
        except CodecError as error:
            # Only a snapshot can become that large; the edge goes on with the one it has.
            log.error("message_too_large", extra={"type": action.message.type, "problem": str(error)})  # noqa: TRY400


class Hub:
    """The connections of this process.

    Args:
        store: the database, asked in `executor`.
        executor: threads for it.
        clock: time.
        settings: limits and times.
        blob_executor: threads for the object store; None: those of the database.
    """

    def __init__(
        self,
        store: SiteStore,
        executor: Executor,
        clock: Clock,
        settings: HubSettings,
        blob_executor: Executor | None = None,
    ) -> None:
        self._store = store
        self._executor = executor
        self._blob_executor = blob_executor or executor
        self._clock = clock
        self._settings = settings
        self._connections: set[Connection] = set()
        self._online: dict[str, Connection] = {}
        self._sites: dict[str, set[Connection]] = {}
        self._stopping = False
        self.refused = 0
        """Connections turned away because a limit was reached."""

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    @property
    def online(self) -> int:
        """How many edges are here."""
        return len(self._online)

    def connect(self, link: Link, peer: Peer, binding: bytes, *, challenge: bool) -> Connection | None:
        """A transport has a new connection.

        Args:
            link: to send and close.
            peer: where it comes from.
            binding: exporter or nonce.
            challenge: whether the nonce has to be sent.

        Returns:
            What the transport tells about it; None when there are too many: close the link.
        """
        strangers = len(self._connections) - len(self._online)
        full = len(self._connections) >= self._settings.max_connections or strangers >= self._settings.max_strangers
        if full or self._stopping:
            self.refused += 1
            return None
        session = HubSession(peer, binding, self._settings.session, self.now(), challenge=challenge)
        connection = Connection(self, link, peer, session)
        self._connections.add(connection)
        connection.perform(session.open())
        return connection

    def wake(self, site_id: str) -> None:
        """There may be news for this site's edges."""
        for connection in tuple(self._sites.get(site_id, ())):
            connection.perform(connection.session.wake())

    def wake_all(self) -> None:
        """There may be news for anybody: notifications may have been missed."""
        for site_id in tuple(self._sites):
            self.wake(site_id)

    def went_online(self, connection: Connection, edge: KnownEdge) -> None:
        """A session was admitted; an older connection of the same edge is sent away."""
        older = self._online.get(edge.edge_id)
        self._online[edge.edge_id] = connection
        self._sites.setdefault(edge.site_id, set()).add(connection)
        if older is not None and older is not connection:
            older.perform(older.session.replaced())
        log.info("edge_online", extra={"edge_id": edge.edge_id, "transport": connection.peer.transport})

    def gone(self, connection: Connection) -> None:
        """A connection ended; its lease is given up."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        edge = connection.session.edge
        if edge is None:
            return
        if self._online.get(edge.edge_id) is connection:
            del self._online[edge.edge_id]
        at_site = self._sites.get(edge.site_id, set())
        at_site.discard(connection)
        if not at_site:
            self._sites.pop(edge.site_id, None)
        self._release(edge, connection)

    def ask(self, connection: Connection, question: Question) -> None:
        """Ask the database in a thread; the session is told the answer here."""
        loop = asyncio.get_running_loop()
        # What asks the object store has threads of its own: a slow one must not hold up the database's questions.
        slow = isinstance(question, FetchPiece | KeepPiece)
        executor = self._blob_executor if slow else self._executor
        future = loop.run_in_executor(executor, self._store.answer, question)
        future.add_done_callback(partial(self._answered, connection))

    async def run(self) -> None:
        """Keep deadlines, leases and polls until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(_SWEEP_SECONDS, self._sweep))
            tasks.create_task(self._every(self._settings.lease_renewal, self._renew))
            tasks.create_task(self._every(self._settings.poll, self._poll))
            tasks.create_task(self._every(self._settings.sweep, self._let_go))

    def shut_down(self) -> None:
        """Say goodbye to everybody and take nobody in any more."""
        self._stopping = True
        for connection in tuple(self._connections):
            connection.perform(connection.session.shut_down())

    # Inside

    def _answered(self, connection: Connection, future: "asyncio.Future[Answer]") -> None:
        if future.cancelled():
            return
        error = future.exception()
        session = connection.session
        if error is not None:
            known = isinstance(error, StoreUnavailable)
            log.error("store_failed", extra={"problem": str(error)}, exc_info=None if known else error)
            connection.perform(session.store_failed())
            return
        answer = future.result()
        if session.state is State.CLOSED:
            if isinstance(answer, Opened) and session.edge is not None:
                # The edge went away while it was being admitted.
                self._release(session.edge, connection)
            return
        connection.perform(session.answered(answer, self.now(), self._clock.now()))

    def _release(self, edge: KnownEdge, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, self._store.release, edge, connection.peer.connection)
        future.add_done_callback(_log_failure)

    async def _every(self, seconds: float, work: Callable[[], object]) -> None:
        """Call `work` again and again; it says by an awaitable when it takes longer."""
        pause = asyncio.Event()
        while True:
            result = work()
            if asyncio.iscoroutine(result):
                await result
            try:
                await asyncio.wait_for(pause.wait(), seconds)
            except TimeoutError:
                continue

    def _sweep(self) -> None:
        now = self.now()
        due = [c for c in self._connections if (at := c.session.deadline) is not None and at <= now]
        for connection in due:
            connection.perform(connection.session.advance(now))

    async def _renew(self) -> None:
        held = {edge_id: connection.peer.connection for edge_id, connection in self._online.items()}
        if not held:
            return
        try:
            lost = await asyncio.get_running_loop().run_in_executor(self._executor, self._store.renew, held)
        except StoreUnavailable as error:
            log.warning("leases_not_renewed", extra={"problem": str(error)})
            return
        for edge_id in lost:
            connection = self._online.get(edge_id)
            if connection is not None and connection.peer.connection == held[edge_id]:
                connection.perform(connection.session.replaced())

    async def _let_go(self) -> None:
        """Of what nothing needs any more, whether an edge is online or not."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._blob_executor, self._store.sweep)
        except StoreUnavailable as error:
            log.warning("recordings_not_swept", extra={"problem": str(error)})

    async def _poll(self) -> None:
        online = dict(self._online)
        if not online:
            return
        try:
            marks = await asyncio.get_running_loop().run_in_executor(self._executor, self._store.look_after, online)
        except StoreUnavailable as error:
            log.warning("poll_failed", extra={"problem": str(error)})
            return
        for edge_id, connection in online.items():
            mark = marks.get(edge_id, "deleted")
            if mark != connection.mark:
                connection.mark = mark
                connection.perform(connection.session.wake())


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.warning("lease_not_released", extra={"problem": str(error)})
