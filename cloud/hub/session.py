"""One edge's conversation with the hub: no socket, no clock, no database (cloud.hub.questions asks for it).

    AwaitingHello ──Hello──▶ LookingUp ──Found──▶ Admitting ──Opened──▶ Online ──▶ Closed

Neighbours may rely on: every call returns the actions to perform, in order; after a `Close` nothing more comes.
Every `now` is seconds on one monotonic clock.
"""

import enum
from datetime import datetime
from typing import Final, Literal, assert_never

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud.hub.actions import Action, Ask, Close, Send, SessionSettings, WentOnline
from cloud.hub.pieces import Pieces
from cloud.hub.questions import (
    Answer,
    EventsKept,
    FetchNews,
    FetchPiece,
    FindEdge,
    Found,
    Holding,
    KeepEvents,
    KeepPiece,
    KnownEdge,
    MergeState,
    News,
    Opened,
    OpenLease,
    Peer,
    PieceFetched,
    PieceKept,
    RecordVerdict,
    ResultStored,
    StateMerged,
    StoreResult,
    VerdictRecorded,
)
from contract.sync.codec import CodecError, decode
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
    Secrets,
    SnapshotMessage,
    StateChange,
    Welcome,
    proof_text,
)
from contract.sync.state import StateRecord
from contract.sync.versions import (
    BLOBS,
    CALL_RECORDINGS,
    CONFERENCE_RECORDINGS,
    FAX,
    FEATURES,
    MESSAGES,
    QUALITY,
    shared_protocol,
)

MAX_HELLO_DECODED_BYTES: Final = 8 * 1024 * 1024
"""Before an edge is known; 100,000 secret references fit."""
MAX_DECODED_BYTES: Final = 16 * 1024 * 1024
MAX_WAITING_EVENTS: Final = 1024
"""Events not yet in the inbox; an edge's window is far smaller."""
MAX_WAITING_RECORDS: Final = 5000
MAX_COMMANDS: Final = 100
_RECORDS_PER_MESSAGE: Final = 200

Reason = Literal["replaced", "shutting_down", "unauthorized", "unsupported_version", "protocol_error", "revoked"]
"""As `contract.sync.messages.Goodbye` has them."""


class State(enum.Enum):
    """Where the conversation is."""

    AWAITING_HELLO = enum.auto()
    LOOKING_UP = enum.auto()
    ADMITTING = enum.auto()
    ONLINE = enum.auto()
    CLOSED = enum.auto()


class HubSession:
    """The hub's side of one connection.

    Args:
        peer: where it comes from.
        binding: what the Hello's proof must be bound to: the TLS exporter (QUIC) or the nonce of the challenge.
        challenge: send `binding` as a challenge first (WebSocket).
        settings: times.
        now: monotonic seconds.
    """

    __slots__ = (
        "_again",
        "_binding",
        "_challenge",
        "_commands",
        "_cursor",
        "_deadlines",
        "_fetching",
        "_hello",
        "_holding",
        "_keeping",
        "_keeping_piece",
        "_merging",
        "_offered",
        "_peer",
        "_pieces",
        "_ping_number",
        "_settings",
        "_settled",
        "_state",
        "_waiting_events",
        "_waiting_records",
        "_whole",
        "edge",
    )

    def __init__(self, peer: Peer, binding: bytes, settings: SessionSettings, now: float, *, challenge: bool) -> None:
        self._peer = peer
        self._binding = binding
        self._challenge = challenge
        self._settings = settings
        self._state = State.AWAITING_HELLO
        self._deadlines: dict[str, float] = {"hello": now + settings.hello_deadline}
        self.edge: KnownEdge | None = None
        """Who it is; None until the proof held."""
        self._hello: Hello | None = None
        self._holding = Holding(None, None, None, frozenset())
        self._settled: int | None = None
        self._whole = False
        self._offered: int | None = None
        self._cursor = ""
        self._fetching = False
        self._again = False
        self._keeping = False
        self._keeping_piece = False
        self._merging = False
        self._waiting_events: list[Event] = []
        self._waiting_records: list[StateRecord] = []
        self._commands: set[str] = set()
        self._ping_number = 0
        self._pieces = Pieces(settings.blob_bytes_per_second)

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._state

    @property
    def deadline(self) -> float | None:
        """When `advance` wants to be called; None once closed."""
        return min(self._deadlines.values(), default=None)

    def open(self) -> list[Action]:
        """The connection stands."""
        return [Send(Challenge(nonce=self._binding))] if self._challenge else []

    def receive_payload(self, payload: bytes, now: float) -> list[Action]:
        """An encoded message arrived; what is none ends the conversation with the reason."""
        if self._state is State.CLOSED:
            return []
        limit = MAX_DECODED_BYTES if self._state is State.ONLINE else MAX_HELLO_DECODED_BYTES
        try:
            message = decode(payload, limit)
        except CodecError as error:
            return self.unreadable(error)
        return self.receive(message, now)

    def unreadable(self, error: CodecError) -> list[Action]:
        """What arrived was no message."""
        return self._bye("protocol_error", str(error)[:255])

    def receive(self, message: Message, now: float) -> list[Action]:
        """A message arrived."""
        match self._state:
            case State.CLOSED:
                return []
            case State.AWAITING_HELLO:
                return self._receive_first(message, now)
            case State.LOOKING_UP | State.ADMITTING:
                return self._receive_early(message)
            case State.ONLINE:
                self._heard(now)
                return self._receive_online(message, now)
            case _:
                assert_never(self._state)

    def answered(self, answer: Answer, now: float, wall: datetime) -> list[Action]:
        """The database answered a question.

        Args:
            answer: of the kind that the question names.
            now: monotonic seconds.
            wall: the moment in UTC, for the Welcome.
        """
        if self._state is State.CLOSED:
            return []
        match answer:
            case Found():
                return self._found(answer.edge)
            case Opened():
                return self._opened(answer, now, wall)
            case News():
                return self._news(answer, now)
            case EventsKept():
                self._keeping = False
                ack = EventAck(epoch=answer.epoch, sequence=answer.sequence)
                return [Send(ack), *self._keep_events()]
            case VerdictRecorded():
                return self.wake()
            case StateMerged():
                self._merging = False
                return [*_state_messages(answer.records), *self._merge_state()]
            case ResultStored():
                self._commands.discard(answer.command_id)
                return []
            case PieceFetched():
                self._pieces.answered(answer.piece, now)
                return [Send(answer.piece)]
            case PieceKept():
                self._keeping_piece = False
                return [Send(answer.kept)]
            case _:
                assert_never(answer)

    def store_failed(self) -> list[Action]:
        """The database did not answer: the edge keeps everything and comes back."""
        return self._bye("shutting_down", "the cloud's database is not available")

    def wake(self) -> list[Action]:
        """There may be news for the edge's site."""
        if self._state is not State.ONLINE:
            return []
        if self._fetching:
            self._again = True
            return []
        self._fetching = True
        # While an offer is being applied its successor waits: only the newest version matters.
        offers = self._offered is None
        question = FetchNews(
            self._known(),
            self._holding,
            self._settled,
            self._cursor,
            self._peer.connection,
            offers=offers,
            whole=self._whole,
        )
        return [Ask(question)]

    def replaced(self) -> list[Action]:
        """A newer connection of the same edge has taken over."""
        return self._bye("replaced", "this edge has connected again")

    def shut_down(self) -> list[Action]:
        """The hub stops."""
        return self._bye("shutting_down", "the hub is stopping")

    def lost(self) -> None:
        """The connection is gone."""
        self._state = State.CLOSED
        self._deadlines.clear()

    def advance(self, now: float) -> list[Action]:
        """Time passed: `deadline` was reached."""
        due = [name for name, at in self._deadlines.items() if at <= now]
        actions: list[Action] = []
        for name in due:
            self._deadlines.pop(name, None)
            match name:
                case "hello" if self._state is not State.AWAITING_HELLO:
                    actions += self.store_failed()
                case "hello":
                    actions += self._bye("unauthorized", "no valid Hello in time", retry=True)
                case "silence":
                    self._ping_number += 1
                    self._deadlines["pong"] = now + self._settings.ping_deadline
                    actions.append(Send(Ping(number=self._ping_number)))
                case "pong":
                    actions += self._close("the edge does not answer")
                case "offer":
                    self._offered = None
                    self._whole = True
                    actions += self.wake()
                case "piece":
                    actions += self._next_piece(now)
                case _:
                    self._deadlines["refresh"] = now + self._settings.refresh_after
                    actions += self.wake()
            if self._state is State.CLOSED:
                break
        return actions

    # Getting to know each other

    def _receive_first(self, message: Message, now: float) -> list[Action]:
        match message:
            case Hello():
                if shared_protocol(message.protocols) is None:
                    return self._bye("unsupported_version", "no protocol version is shared")
                self._hello = message
                self._state = State.LOOKING_UP
                return [Ask(FindEdge(message.edge_id))]
            case Goodbye():
                return self._close("the edge said goodbye")
            case Ping():
                return [Send(Pong(number=message.number))]
            case _:
                return self._bye("protocol_error", "the first message must be a Hello")

    def _receive_early(self, message: Message) -> list[Action]:
        match message:
            case Goodbye():
                return self._close("the edge said goodbye")
            case Ping():
                return [Send(Pong(number=message.number))]
            case _:
                return self._bye("protocol_error", "nothing but Ping may come before the Welcome")

    def _found(self, edge: KnownEdge | None) -> list[Action]:
        hello = self._hello
        if hello is None or self._state is not State.LOOKING_UP:
            return []
        if edge is None or not _proved(edge, hello, self._binding):
            # One text for both: who is enrolled is nobody's business.
            return self._bye("unauthorized", "this edge is not known here, or its proof does not hold", retry=False)
        if edge.revoked:
            return self._bye("revoked", "this edge has been revoked", retry=False)
        self.edge = edge
        self._state = State.ADMITTING
        features = FEATURES.intersection(hello.features)
        self._holding = Holding(hello.applied_version, hello.applied_digest, frozenset(hello.secrets), features)
        return [Ask(OpenLease(edge, self._peer, hello.agent_version, hello.outbox_epoch, self._holding))]

    def _opened(self, opened: Opened, now: float, wall: datetime) -> list[Action]:
        hello = self._hello
        if hello is None or self._state is not State.ADMITTING:
            return []
        protocol = shared_protocol(hello.protocols)
        if protocol is None:
            return self._bye("unsupported_version", "no protocol version is shared")
        self._hello = None
        self._state = State.ONLINE
        self._deadlines = {"refresh": now + self._settings.refresh_after}
        self._heard(now)
        welcome = Welcome(
            protocol=protocol,
            acknowledged=opened.acknowledged,
            wanted_version=opened.wanted_version,
            now=wall,
            features=tuple(
                name
                for name in (BLOBS, MESSAGES, QUALITY, CALL_RECORDINGS, CONFERENCE_RECORDINGS, FAX)
                if name in self._holding.features
            ),
        )
        return [WentOnline(self._known()), Send(welcome), *self.wake()]

    # Online

    def _receive_online(self, message: Message, now: float) -> list[Action]:
        match message:
            case Ping():
                return [Send(Pong(number=message.number))]
            case Pong():
                return []
            case Event():
                if len(self._waiting_events) >= MAX_WAITING_EVENTS:
                    return self._bye("protocol_error", "more events than the hub keeps waiting")
                self._waiting_events.append(message)
                return self._keep_events()
            case Applied() | Rejected():
                return self._verdict(message)
            case StateChange():
                if len(self._waiting_records) + len(message.records) > MAX_WAITING_RECORDS:
                    return self._bye("protocol_error", "more state than the hub keeps waiting")
                self._waiting_records += message.records
                return self._merge_state()
            case CommandResult():
                if message.command_id not in self._commands:
                    return []
                return [Ask(StoreResult(self._known(), message))]
            case BlobRequest():
                if not self._pieces.take(message, now):
                    return self._bye("protocol_error", "a piece was asked for before the one before it came")
                return self._next_piece(now)
            case RecordingPiece():
                if self._keeping_piece or MESSAGES not in self._holding.features:
                    return self._bye("protocol_error", "a piece of a recording came before its turn")
                self._keeping_piece = True
                return [Ask(KeepPiece(self._known(), message))]
            case Goodbye():
                return self._close("the edge said goodbye")
            case (
                Hello()
                | Challenge()
                | Welcome()
                | SnapshotMessage()
                | DeltaMessage()
                | Secrets()
                | EventAck()
                | Command()
                | BlobPiece()
                | RecordingKept()
            ):
                return self._bye("protocol_error", f"{message.type} is not for the hub")
            case _:
                assert_never(message)

    def _verdict(self, verdict: Applied | Rejected) -> list[Action]:
        if verdict.version == self._offered:
            self._deadlines.pop("offer", None)
            self._offered = None
        if isinstance(verdict, Applied):
            self._holding = Holding(verdict.version, verdict.digest, None, self._holding.features)
            self._settled, self._whole = verdict.version, False
        elif verdict.resend and not self._whole:
            self._whole = True
            return self.wake()
        else:
            self._settled, self._whole = verdict.version, False
        return [Ask(RecordVerdict(self._known(), verdict))]

    def _news(self, news: News, now: float) -> list[Action]:
        self._fetching = False
        self._cursor = news.cursor
        if news.revoked:
            return self._bye("revoked", "this edge has been revoked", retry=False)
        if news.taken_over:
            return self.replaced()
        actions: list[Action] = []
        if news.offer is not None and self._offered is None:
            actions += [Send(secrets) for secrets in news.offer.secrets]
            actions.append(Send(news.offer.content))
            self._offered = news.offer.version
            self._deadlines["offer"] = now + self._settings.offer_deadline
        actions += _state_messages(news.records)
        for command in news.commands:
            if command.command_id not in self._commands and len(self._commands) < MAX_COMMANDS:
                self._commands.add(command.command_id)
                actions.append(Send(command))
        if self._again:
            self._again = False
            actions += self.wake()
        return actions

    def _keep_events(self) -> list[Action]:
        if self._keeping or not self._waiting_events:
            return []
        epoch = self._waiting_events[0].epoch
        batch = tuple(event for event in self._waiting_events if event.epoch == epoch)
        self._waiting_events = [event for event in self._waiting_events if event.epoch != epoch]
        self._keeping = True
        return [Ask(KeepEvents(self._known(), epoch, batch))]

    def _merge_state(self) -> list[Action]:
        if self._merging or not self._waiting_records:
            return []
        records, self._waiting_records = tuple(self._waiting_records), []
        self._merging = True
        return [Ask(MergeState(self._known(), records))]

    def _next_piece(self, now: float) -> list[Action]:
        request = self._pieces.due(now)
        if (deadline := self._pieces.deadline) is not None:
            self._deadlines["piece"] = deadline
        return [Ask(FetchPiece(self._known(), request))] if request is not None else []

    def _heard(self, now: float) -> None:
        self._deadlines.pop("pong", None)
        self._deadlines["silence"] = now + self._settings.ping_after

    def _known(self) -> KnownEdge:
        assert self.edge is not None  # noqa: S101  (every state after LookingUp has one)
        return self.edge

    # The end

    def _bye(self, reason: Reason, text: str, *, retry: bool = True) -> list[Action]:
        if self._state is State.CLOSED:
            return []
        return [Send(Goodbye(reason=reason, text=text, retry=retry)), *self._close(f"{reason}: {text}")]

    def _close(self, why: str) -> list[Action]:
        self.lost()
        return [Close(why)]


def _proved(edge: KnownEdge, hello: Hello, binding: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(edge.identity_key)
        key.verify(hello.proof, proof_text(hello.edge_id, binding))
    except (InvalidSignature, ValueError):
        return False
    return True


def _state_messages(records: tuple[StateRecord, ...]) -> list[Action]:
    chunks = (records[at : at + _RECORDS_PER_MESSAGE] for at in range(0, len(records), _RECORDS_PER_MESSAGE))
    return [Send(StateChange(records=chunk)) for chunk in chunks]
