"""The edge's side of one connection to the hub: no socket, no clock, no disk.

    Opening ──(Challenge, WebSocket)──▶ Greeting ──Welcome──▶ Online ──▶ Closed

Neighbours may rely on: every call returns the actions to perform, in order; after a `Disconnect` nothing more comes.
Every `now` is seconds on one monotonic clock.
"""

import enum
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from contract.sync.call_recordings import CallRecorded
from contract.sync.delta import SnapshotDelta
from contract.sync.events import EngineTold, FaxFailed, Happening
from contract.sync.mailbox_events import MessageChanged
from contract.sync.messages import (
    Applied,
    BlobPiece,
    BlobRequest,
    Challenge,
    Command,
    CommandResult,
    DeltaMessage,
    Event,
    EventAck,
    Goodbye,
    Hello,
    Message,
    Ping,
    Pong,
    RecordingKept,
    RecordingPiece,
    Rejected,
    SealedSecret,
    Secrets,
    SnapshotMessage,
    StateChange,
    Welcome,
)
from contract.sync.quality import CallQuality
from contract.sync.state import StateRecord
from contract.sync.versions import (
    BLOBS,
    CALL_RECORDINGS,
    CONFERENCE_RECORDINGS,
    FAX,
    FEATURES,
    MESSAGES,
    PROTOCOL_VERSIONS,
    QUALITY,
)
from edge_agent.sync.outbox import StoredEvent
from edge_agent.sync.site import ChannelSettings

_SCHEMAS: Final = (1,)
_BATCH: Final = 64
"""Events read from the outbox at a time."""
_RECORDS_PER_MESSAGE: Final = 200
_MAX_SECRETS: Final = 100_000
"""As many as a Hello may list; what it does not list is sent again."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the Hello says of this edge."""

    edge_id: str
    agent_version: str
    applied_version: int | None
    applied_digest: str | None
    secrets: frozenset[str]
    outbox_epoch: str
    last_sent: int
    """The highest event sequence that this outbox has ever sent."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message to the hub."""

    message: Message


@dataclass(frozen=True, slots=True)
class CameOnline:
    """The hub has welcomed this edge.

    Args:
        hands_out_blobs: it may be asked for pieces of blobs.
        takes_messages: it may be told of the messages in mailboxes, and sent recordings.
        takes_call_recordings: it may be told of recordings of calls, and sent those.
        takes_faxes: of the messages also of those that are faxes.
        takes_conference_recordings: also of those of conferences.
    """

    hands_out_blobs: bool = False
    takes_messages: bool = False
    takes_call_recordings: bool = False
    takes_faxes: bool = False
    takes_conference_recordings: bool = False


@dataclass(frozen=True, slots=True)
class ReadOutbox:
    """Read up to `limit` events above `after` and give them to `outbox_read`."""

    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class ForgetEvents:
    """The cloud has kept everything of `epoch` up to `sequence`."""

    epoch: str
    sequence: int


@dataclass(frozen=True, slots=True)
class BeginEpoch:
    """The outbox is an old copy of itself: begin a new epoch, then connect again."""


@dataclass(frozen=True, slots=True)
class ReadState:
    """Give the unconfirmed state records to `state_read`."""


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """The cloud wants this version; tell `verdict` what came of it."""

    version: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TakeDelta:
    """The cloud wants what these changes lead to; tell `verdict` what came of it."""

    delta: SnapshotDelta


@dataclass(frozen=True, slots=True)
class TakeSecrets:
    """Keep these before any snapshot that comes later."""

    secrets: tuple[SealedSecret, ...]


@dataclass(frozen=True, slots=True)
class TakeState:
    """Merge these records."""

    records: tuple[StateRecord, ...]


@dataclass(frozen=True, slots=True)
class TakePiece:
    """The piece of a blob that was asked for, or why there is none."""

    piece: BlobPiece


@dataclass(frozen=True, slots=True)
class TakeKept:
    """How much of the recording that is being sent the cloud has, or why it takes none."""

    kept: RecordingKept


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Do this; tell `command_done` what came of it."""

    command: Command


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End the connection; the last action there is.

    Args:
        why: in words, for the log and the agent's status.
        welcome_back: coming back at once can help; False after a hub that does not want this edge.
        replaced: another connection of this edge took over.
    """

    why: str
    welcome_back: bool = True
    replaced: bool = False


Action = (
    Send
    | CameOnline
    | ReadOutbox
    | ForgetEvents
    | BeginEpoch
    | ReadState
    | TakeSnapshot
    | TakeDelta
    | TakeSecrets
    | TakeState
    | TakePiece
    | TakeKept
    | RunCommand
    | Disconnect
)


class State(enum.Enum):
    """Where the conversation is."""

    OPENING = enum.auto()
    GREETING = enum.auto()
    ONLINE = enum.auto()
    CLOSED = enum.auto()


class EdgeSession:
    """One conversation with the hub.

    Args:
        facts: for the Hello.
        prove: signs a binding (exporter or nonce) for the Hello.
        settings: times and the window.
        now: monotonic seconds.
    """

    def __init__(self, facts: Facts, prove: Callable[[bytes], bytes], settings: ChannelSettings, now: float) -> None:
        self._facts = facts
        self._prove = prove
        self._settings = settings
        self._state = State.OPENING
        self._deadline: float | None = now + settings.connect_deadline
        self._pinging = False
        self._pings = 0
        self._sent = 0
        self._in_flight: deque[int] = deque()
        self._reading = False
        self._grew = False
        self._asked: BlobRequest | None = None
        self._hub: frozenset[str] = frozenset()
        """What it can beside the protocol."""
        self._sending: RecordingPiece | None = None

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._state

    @property
    def deadline(self) -> float | None:
        """When `advance` wants to be called; None once closed."""
        return self._deadline

    def open(self, binding: bytes | None) -> list[Action]:
        """The connection stands.

        Args:
            binding: what the proof is bound to; None where the hub will send a challenge.
        """
        return [] if binding is None else self._greet(binding)

    def receive(self, message: Message, now: float) -> list[Action]:
        """A message arrived."""
        match self._state:
            case State.CLOSED:
                return []
            case State.OPENING:
                return self._receive_opening(message)
            case State.GREETING:
                return self._receive_greeting(message, now)
            case State.ONLINE:
                self._heard(now)
                return self._receive_online(message)
            case _:
                assert_never(self._state)

    def unreadable(self, problem: str) -> list[Action]:
        """What arrived was no message."""
        return self._bye(f"the hub sent what is no message: {problem}")

    def advance(self, now: float) -> list[Action]:
        """Time passed: `deadline` was reached."""
        if self._deadline is None or now < self._deadline:
            return []
        if self._state is not State.ONLINE:
            return self._disconnect("the hub did not welcome this edge in time")
        if self._pinging:
            return self._disconnect("the hub does not answer")
        self._pinging = True
        self._pings += 1
        self._deadline = now + self._settings.ping_deadline
        return [Send(Ping(number=self._pings))]

    def lost(self) -> None:
        """The connection is gone."""
        self._state = State.CLOSED
        self._deadline = None

    def leave(self) -> list[Action]:
        """The agent stops."""
        if self._state is State.CLOSED:
            return []
        return [Send(Goodbye(reason="shutting_down", text="the agent is stopping")), *self._disconnect("stopped")]

    # What happens at the site

    def outbox_grew(self) -> list[Action]:
        """There is something new in the outbox."""
        self._grew = True
        return self._read_more()

    def outbox_read(self, events: Sequence[StoredEvent]) -> list[Action]:
        """What the outbox gave for the last `ReadOutbox`; may be nothing."""
        self._reading = False
        if self._state is not State.ONLINE:
            return []
        actions: list[Action] = []
        for event in events:
            self._sent = event.sequence
            if not self._hub.issuperset(_needed_for(event.body.what)):
                continue  # an older hub would take it for no message; messages and recordings are told again to a newer
            self._in_flight.append(event.sequence)
            actions.append(Send(Event(epoch=self._facts.outbox_epoch, sequence=event.sequence, body=event.body)))
        if events:
            # Perhaps there are more; the next read tells.
            self._grew = True
        return actions + self._read_more()

    def state_grew(self) -> list[Action]:
        """There are new records in the state store."""
        return [ReadState()] if self._state is State.ONLINE else []

    def state_read(self, records: Sequence[StateRecord]) -> list[Action]:
        """The records that the cloud may not have."""
        if self._state is not State.ONLINE:
            return []
        chunks = [tuple(records[at : at + _RECORDS_PER_MESSAGE]) for at in range(0, len(records), _RECORDS_PER_MESSAGE)]
        return [Send(StateChange(records=chunk)) for chunk in chunks]

    def verdict(self, verdict: Applied | Rejected) -> list[Action]:
        """What came of a snapshot."""
        return [Send(verdict)] if self._state is State.ONLINE else []

    def command_done(self, result: CommandResult) -> list[Action]:
        """What came of a command."""
        return [Send(result)] if self._state is State.ONLINE else []

    def ask_piece(self, request: BlobRequest) -> list[Action]:
        """Ask for a piece of a blob; nothing while that cannot be: not online, an older hub, one is on its way."""
        if self._state is not State.ONLINE or BLOBS not in self._hub or self._asked is not None:
            return []
        self._asked = request
        return [Send(request)]

    def send_recording(self, piece: RecordingPiece) -> list[Action]:
        """Send a piece of a recording; nothing while that cannot be: not online, an older hub, one is on its way."""
        if self._state is not State.ONLINE or MESSAGES not in self._hub or self._sending is not None:
            return []
        self._sending = piece
        return [Send(piece)]

    # One method for each state

    def _receive_opening(self, message: Message) -> list[Action]:
        match message:
            case Challenge():
                return self._greet(message.nonce)
            case Goodbye():
                return self._told_goodbye(message)
            case _:
                return self._bye(f"the hub began with {message.type}, a challenge was due")

    def _receive_greeting(self, message: Message, now: float) -> list[Action]:
        match message:
            case Welcome():
                return self._welcomed(message, now)
            case Goodbye():
                return self._told_goodbye(message)
            case Ping():
                return [Send(Pong(number=message.number))]
            case _:
                return self._bye(f"the hub sent {message.type} before its welcome")

    def _receive_online(self, message: Message) -> list[Action]:
        match message:
            case Ping():
                return [Send(Pong(number=message.number))]
            case Pong():
                return []
            case SnapshotMessage():
                return [TakeSnapshot(message.version, message.snapshot)]
            case DeltaMessage():
                return [TakeDelta(message.delta)]
            case Secrets():
                return [TakeSecrets(message.secrets)]
            case StateChange():
                return [TakeState(message.records)]
            case EventAck():
                return self._acknowledged(message)
            case Command():
                return [RunCommand(message)]
            case BlobPiece():
                return self._piece(message)
            case RecordingKept():
                return self._kept(message)
            case Goodbye():
                return self._told_goodbye(message)
            case (
                Welcome()
                | Challenge()
                | Hello()
                | Applied()
                | Rejected()
                | Event()
                | CommandResult()
                | BlobRequest()
                | RecordingPiece()
            ):
                return self._bye(f"the hub sent {message.type}, which is not for an edge now")
            case _:
                assert_never(message)

    # Inside

    def _greet(self, binding: bytes) -> list[Action]:
        facts = self._facts
        self._state = State.GREETING
        hello = Hello(
            edge_id=facts.edge_id,
            proof=self._prove(binding),
            protocols=PROTOCOL_VERSIONS,
            schemas=_SCHEMAS,
            features=tuple(sorted(FEATURES)),
            agent_version=facts.agent_version,
            applied_version=facts.applied_version,
            applied_digest=facts.applied_digest,
            secrets=tuple(sorted(facts.secrets)[:_MAX_SECRETS]),
            outbox_epoch=facts.outbox_epoch,
        )
        return [Send(hello)]

    def _welcomed(self, welcome: Welcome, now: float) -> list[Action]:
        if welcome.protocol not in PROTOCOL_VERSIONS:
            return self._bye(f"the hub chose protocol {welcome.protocol}, which is not spoken here")
        if welcome.acknowledged > self._facts.last_sent:
            return [BeginEpoch(), *self._bye("the outbox is older than what the cloud knows; numbering begins anew")]
        self._state = State.ONLINE
        self._hub = frozenset(welcome.features)
        self._heard(now)
        self._sent = welcome.acknowledged
        self._grew = True
        return [
            CameOnline(
                hands_out_blobs=BLOBS in self._hub,
                takes_messages=MESSAGES in self._hub,
                takes_call_recordings=CALL_RECORDINGS in self._hub,
                takes_faxes=FAX in self._hub,
                takes_conference_recordings=CONFERENCE_RECORDINGS in self._hub,
            ),
            ForgetEvents(self._facts.outbox_epoch, welcome.acknowledged),
            ReadState(),
            *self._read_more(),
        ]

    def _acknowledged(self, ack: EventAck) -> list[Action]:
        if ack.epoch != self._facts.outbox_epoch:
            return []
        while self._in_flight and self._in_flight[0] <= ack.sequence:
            self._in_flight.popleft()
        return [ForgetEvents(ack.epoch, ack.sequence), *self._read_more()]

    def _piece(self, piece: BlobPiece) -> list[Action]:
        asked, self._asked = self._asked, None
        if asked is None or (piece.digest, piece.offset) != (asked.digest, asked.offset):
            return self._bye("the hub sent a piece of a blob that was not asked for")
        if len(piece.data) > asked.length:
            return self._bye(f"the hub sent {len(piece.data)} bytes of a blob, and {asked.length} were asked for")
        return [TakePiece(piece)]

    def _kept(self, kept: RecordingKept) -> list[Action]:
        sent, self._sending = self._sending, None
        if sent is None or kept.digest != sent.digest:
            return self._bye("the hub answered for a recording that was not sent")
        return [TakeKept(kept)]

    def _read_more(self) -> list[Action]:
        room = self._settings.window - len(self._in_flight)
        if self._state is not State.ONLINE or self._reading or not self._grew or room <= 0:
            return []
        self._reading, self._grew = True, False
        return [ReadOutbox(self._sent, min(room, _BATCH))]

    def _heard(self, now: float) -> None:
        self._pinging = False
        self._deadline = now + self._settings.ping_interval

    def _told_goodbye(self, goodbye: Goodbye) -> list[Action]:
        why = f"the hub said {goodbye.reason}" + (f": {goodbye.text}" if goodbye.text else "")
        return self._disconnect(why, welcome_back=goodbye.retry, replaced=goodbye.reason == "replaced")

    def _bye(self, why: str) -> list[Action]:
        return [Send(Goodbye(reason="protocol_error", text=why[:255])), *self._disconnect(why)]

    def _disconnect(self, why: str, *, welcome_back: bool = True, replaced: bool = False) -> list[Action]:
        self.lost()
        return [Disconnect(why, welcome_back, replaced)]


def _needed_for(what: Happening) -> Collection[str]:
    """What a hub has to list before it is told this."""
    match what:
        case MessageChanged(fax=None):
            return (MESSAGES,)
        case MessageChanged():
            return (MESSAGES, FAX)
        case CallQuality():
            return (QUALITY,)
        case CallRecorded(conference=None):
            return (CALL_RECORDINGS,)
        case CallRecorded():
            return (CALL_RECORDINGS, CONFERENCE_RECORDINGS)
        case EngineTold() | FaxFailed():
            return (FAX,)
        case _:
            return ()
