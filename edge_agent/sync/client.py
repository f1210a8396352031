"""The channel to the cloud: dials, stays connected, hands the agent what arrives and sends what the outbox holds.

For the agent: build the parts from the state folder, then run `Channel.run()` as a task for the agent's life.

    identity = load_identity(state_dir)
    outbox = Outbox.open(state_dir / "outbox.db", clock, tokens)
    secrets = SecretStore(state_dir / "secrets.bin", identity.storage_key(), tokens)
    state_store = StateStore.open(state_dir / "state.db", identity.edge_id, clock)
    channel = Channel(identity, handlers, outbox, secrets, state_store,
                      clock=clock, tokens=tokens, agent_version="0.1.0")
"""

import asyncio
import logging
import sqlite3
from typing import Final, assert_never

from contract.snapshot.snapshot import snapshot_digest
from contract.sync.codec import CodecError, decode, encode
from contract.sync.messages import Applied, BlobRequest, CommandResult, RecordingPiece, Rejected
from contract.sync.questions import MAX_ANSWER_CHARACTERS
from contract.values import Digest
from edge_agent.clock import Clock
from edge_agent.sync.blob_fetcher import BlobFetcher
from edge_agent.sync.configuring import Configuring
from edge_agent.sync.dialling import Dialler
from edge_agent.sync.errors import ChannelFailed
from edge_agent.sync.identity import Identity
from edge_agent.sync.link import Link
from edge_agent.sync.outbox import Outbox, StoredEvent
from edge_agent.sync.recording_sender import RecordingSender
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.session import (
    Action,
    BeginEpoch,
    CameOnline,
    Disconnect,
    EdgeSession,
    Facts,
    ForgetEvents,
    ReadOutbox,
    ReadState,
    RunCommand,
    Send,
    TakeDelta,
    TakeKept,
    TakePiece,
    TakeSecrets,
    TakeSnapshot,
    TakeState,
)
from edge_agent.sync.site import ChannelSettings, ChannelState, SiteHandlers
from edge_agent.sync.state_store import StateStore
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

_FLUSH_SECONDS: Final = 0.8
MAX_COMMANDS: Final = 100
"""Commands waiting to be carried out; more are answered with a refusal."""


class Channel:
    """One edge's channel, over whatever transport gets through. Nothing here ever stops the agent.

    Args:
        identity: who this edge is.
        handlers: the agent.
        outbox: events to send; a connection of this process, not shared with a thread.
        secrets: where secrets from the cloud are kept.
        state_store: where site state is kept.
        clock: time.
        tokens: jitter.
        agent_version: told to the cloud.
        settings: times and sizes.
        blobs: fetches the large files that snapshots name; None: nobody does.
        recordings: sends those of messages; None: nobody does.
    """

    def __init__(
        self,
        identity: Identity,
        handlers: SiteHandlers,
        outbox: Outbox,
        secrets: SecretStore,
        state_store: StateStore,
        *,
        clock: Clock,
        tokens: Tokens,
        agent_version: str,
        settings: ChannelSettings | None = None,
        blobs: BlobFetcher | None = None,
        recordings: RecordingSender | None = None,
    ) -> None:
        self._identity = identity
        self._handlers = handlers
        self._outbox = outbox
        self._secrets = secrets
        self._state_store = state_store
        self._clock = clock
        self._tokens = tokens
        self._agent_version = agent_version
        self._settings = settings or ChannelSettings()
        self._dialler = Dialler(identity, self._settings)
        self._configuring = Configuring(identity, handlers, secrets, self._tell_verdict)
        self._blobs = blobs
        if blobs is not None:
            blobs.channel = self
        self._recordings = recordings
        if recordings is not None:
            recordings.channel = self
        self._commands: asyncio.Queue[RunCommand] = asyncio.Queue(MAX_COMMANDS)
        self._state = ChannelState(online=False, transport=None, since=clock.now(), problem="not connected yet")
        self._session: EdgeSession | None = None
        self._link: Link | None = None
        self._ended: Disconnect | None = None
        self._stopping = asyncio.Event()
        self._failures = 0

    @property
    def state(self) -> ChannelState:
        """Whether the cloud is reached."""
        return self._state

    async def run(self) -> None:
        """Keep the channel up until `stop` is called or the task is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._configuring.run()),
                tasks.create_task(self._run_commands()),
                tasks.create_task(self._flush()),
            ]
            if self._blobs is not None:
                beside.append(tasks.create_task(self._blobs.run()))
            if self._recordings is not None:
                beside.append(tasks.create_task(self._recordings.run()))
            try:
                while not self._stopping.is_set():
                    wait = await self._connect_once()
                    await self._pause(wait)
            finally:
                for task in beside:
                    task.cancel()

    async def stop(self) -> None:
        """Say goodbye; `run` ends soon after."""
        self._stopping.set()
        if self._session is not None:
            self._perform(self._session.leave())
        self._dialler.give_up()

    def notify_outbox(self) -> None:
        """The outbox has something new; from the event loop's thread."""
        if self._session is not None:
            self._perform_unless_disk_fails(self._session.outbox_grew())

    def notify_state(self) -> None:
        """The state store has records of this site that the cloud may not have; from the event loop's thread."""
        if self._session is not None:
            self._perform_unless_disk_fails(self._session.state_grew())

    def ask_piece(self, digest: Digest, offset: int, length: int) -> bool:
        """See `edge_agent.sync.blob_fetcher.AsksForPieces`."""
        if self._session is None:
            return False
        actions = self._session.ask_piece(BlobRequest(digest=digest, offset=offset, length=length))
        self._perform_unless_disk_fails(actions)
        return bool(actions)

    def send_recording(self, piece: RecordingPiece) -> bool:
        """See `edge_agent.sync.recording_sender.SendsPieces`."""
        if self._session is None:
            return False
        actions = self._session.send_recording(piece)
        self._perform_unless_disk_fails(actions)
        return bool(actions)

    def blobs_came(self) -> None:
        """A file that snapshots name is here; one that waited for its files is offered to the agent again."""
        self._configuring.blobs_came()

    # One connection

    async def _connect_once(self) -> float:
        """Dial, converse until the connection ends, and say how long to wait before the next time."""
        try:
            link = await self._dialler.dial()
        except ChannelFailed as error:
            self._went_offline(str(error))
            return self._next_wait()
        ended: Disconnect | None = None
        try:
            ended = await self._converse(link)
        except ChannelFailed as error:
            self._went_offline(str(error))
        except (sqlite3.Error, OSError) as error:
            log.exception("channel_disk_failed")
            self._went_offline(f"the disk does not work: {error}")
        finally:
            welcomed = self._state.online
            if self._session is not None:
                self._session.lost()
            self._session, self._link = None, None
            if self._blobs is not None:
                self._blobs.go_offline()
            if self._recordings is not None:
                self._recordings.go_offline()
            self._went_offline(ended.why if ended else "the connection was lost")
            self._dialler.conversed(link.transport, welcomed=welcomed)
            await link.close()
        if ended is not None and not ended.welcome_back:
            return self._settings.retry_refused * (0.5 + self._tokens.fraction() / 2)
        if ended is not None and ended.replaced:
            # Another machine may have the same identity: do not fight over it every quarter of a second.
            self._failures = max(self._failures, 4)
        return self._next_wait()

    async def _converse(self, link: Link) -> Disconnect | None:
        session = EdgeSession(self._facts(), self._prove, self._settings, self._clock.monotonic())
        self._session, self._link, self._ended = session, link, None
        self._perform(session.open(link.binding))
        while self._ended is None and (deadline := session.deadline) is not None:
            try:
                async with asyncio.timeout(max(0.0, deadline - self._clock.monotonic())):
                    payload = await link.receive()
            except TimeoutError:
                self._perform(session.advance(self._clock.monotonic()))
                continue
            try:
                message = decode(payload)
            except CodecError as error:
                self._perform(session.unreadable(str(error)))
            else:
                self._perform(session.receive(message, self._clock.monotonic()))
        return self._ended

    def _facts(self) -> Facts:
        running = self._handlers.running()
        return Facts(
            edge_id=self._identity.edge_id,
            agent_version=self._agent_version,
            applied_version=running.version if running else None,
            applied_digest=snapshot_digest(running) if running else None,
            secrets=self._secrets.refs(),
            outbox_epoch=self._outbox.epoch,
            last_sent=self._outbox.sent,
        )

    def _prove(self, binding: bytes) -> bytes:
        return self._identity.keys.prove(self._identity.edge_id, binding)

    def _perform(self, actions: list[Action]) -> None:
        """Do what the session wants; what an action leads to at once is done after it."""
        session = self._session
        waiting = list(reversed(actions))
        while waiting and session is not None:
            action = waiting.pop()
            match action:
                case Send():
                    self._send(action)
                case CameOnline():
                    self._came_online(action)
                case TakePiece():
                    if self._blobs is not None:
                        self._blobs.take(action.piece)
                case TakeKept():
                    if self._recordings is not None:
                        self._recordings.take(action.kept)
                case ReadOutbox():
                    waiting += reversed(session.outbox_read(self._read_outbox(action)))
                case ForgetEvents():
                    self._outbox.acknowledge(action.epoch, action.sequence)
                case BeginEpoch():
                    log.warning("outbox_epoch_renewed", extra={"epoch": self._outbox.begin_epoch()})
                case ReadState():
                    waiting += reversed(session.state_read(self._state_store.unconfirmed()))
                case TakeSnapshot() | TakeDelta() | TakeSecrets():
                    self._configuring.take(action)
                case TakeState():
                    self._configuring.take_state(self._state_store.merge(action.records))
                case RunCommand():
                    self._take_command(action)
                case Disconnect():
                    self._ended = action
                case _:
                    assert_never(action)

    def _perform_unless_disk_fails(self, actions: list[Action]) -> None:
        """For calls that come from the agent: a disk that fails ends the connection, not the caller."""
        try:
            self._perform(actions)
        except (sqlite3.Error, OSError) as error:
            log.exception("channel_disk_failed")
            self._ended = Disconnect(f"the disk does not work: {error}")

    def _read_outbox(self, action: ReadOutbox) -> tuple[StoredEvent, ...]:
        events = self._outbox.read(action.after, action.limit)
        if events:
            self._outbox.mark_sent(events[-1].sequence)
        return events

    def _send(self, action: Send) -> None:
        if self._link is not None:
            self._link.send(encode(action.message))

    def _take_command(self, action: RunCommand) -> None:
        try:
            self._commands.put_nowait(action)
        except asyncio.QueueFull:
            self._answer_command(
                CommandResult(command_id=action.command.command_id, ok=False, text="too many commands")
            )

    # Beside the connection

    def _tell_verdict(self, verdict: Applied | Rejected) -> None:
        if self._session is not None:
            self._perform(self._session.verdict(verdict))

    def _answer_command(self, result: CommandResult) -> None:
        if self._session is not None:
            self._perform(self._session.command_done(result))

    async def _run_commands(self) -> None:
        while True:
            command = (await self._commands.get()).command
            outcome = await self._handlers.on_command(command)
            text = outcome.text.replace("\0", "\ufffd")[:4096]
            content, ok = outcome.content, outcome.ok
            if len(content) > MAX_ANSWER_CHARACTERS:
                text, content, ok = "the answer is too long for the channel", "", False
            self._answer_command(CommandResult(command_id=command.command_id, ok=ok, text=text, content=content))

    async def _flush(self) -> None:
        """Bring the outbox to the disk about once a second, in a thread: the disk may take its time."""
        never = asyncio.Event()
        while True:
            try:
                await asyncio.wait_for(never.wait(), _FLUSH_SECONDS)
            except TimeoutError:
                await self._outbox.flush_aside()

    def _came_online(self, came: CameOnline) -> None:
        self._failures = 0
        if self._blobs is not None:
            self._blobs.go_online(hands_out=came.hands_out_blobs)
        if self._recordings is not None:
            self._recordings.go_online(
                takes=came.takes_messages,
                takes_calls=came.takes_call_recordings,
                takes_conferences=came.takes_conference_recordings,
                takes_faxes=came.takes_faxes,
            )
        transport = self._link.transport if self._link is not None else None
        self._change(ChannelState(online=True, transport=transport, since=self._clock.now()))

    def _went_offline(self, problem: str) -> None:
        if self._state.online or self._state.problem == "not connected yet":
            self._change(ChannelState(online=False, transport=None, since=self._clock.now(), problem=problem))

    def _change(self, state: ChannelState) -> None:
        self._state = state
        log.info("channel_changed", extra={"online": state.online, "transport": state.transport, "why": state.problem})
        self._handlers.on_channel(state)

    def _next_wait(self) -> float:
        """Full jitter: anything between nothing and a bound that doubles from failure to failure, up to the cap."""
        bound = min(self._settings.retry_cap, self._settings.retry_first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return bound * self._tokens.fraction()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
