"""Every message of the channel, in a closed union. `↑` goes from edge to hub, `↓` from hub to edge.

A conversation: ↓Challenge (WebSocket only) · ↑Hello · ↓Welcome or ↓Goodbye · then, at any time, ↓Snapshot/↓Delta
answered by ↑Applied or ↑Rejected, ↓Secrets before the snapshot that needs them, ↑Event answered by ↓EventAck,
StateChange both ways, ↓Command answered by ↑CommandResult, ↑BlobRequest answered by ↓BlobPiece, ↑RecordingPiece
answered by ↓RecordingKept, Ping answered by Pong both ways.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from contract.snapshot.blob import MAX_BLOB_BYTES
from contract.sync.call_recordings import MAX_CALL_RECORDING_BYTES
from contract.sync.delta import SnapshotDelta
from contract.sync.events import EventBody
from contract.sync.questions import MAX_ANSWER_CHARACTERS
from contract.sync.state import StateRecord
from contract.values import Digest, Frozen, Id, SecretRef, Text, UtcTime

Version = Annotated[int, Field(ge=1, lt=2**31)]

MAX_PIECE_BYTES: Final = 256 * 1024
"""Of a blob in one message: what a change has to wait for at most."""


class Challenge(Frozen):
    """↓ A nonce to sign, where the transport gives no exporter to bind the proof to (WebSocket)."""

    type: Literal["challenge"] = "challenge"
    nonce: Annotated[bytes, Field(min_length=32, max_length=64)]


class Hello(Frozen):
    """↑ The first message of an edge: who it is, with proof; what it speaks; what it holds."""

    type: Literal["hello"] = "hello"
    edge_id: Id
    proof: Annotated[bytes, Field(min_length=64, max_length=64)]
    """Ed25519 signature over `proof_text(edge_id, binding)`."""
    protocols: Annotated[tuple[int, ...], Field(min_length=1, max_length=16)]
    schemas: Annotated[tuple[int, ...], Field(min_length=1, max_length=16)]
    features: Annotated[tuple[Text, ...], Field(max_length=64)] = ()
    agent_version: Text
    applied_version: Version | None = None
    """The snapshot version that runs at the edge; None when it has none yet."""
    applied_digest: Digest | None = None
    secrets: Annotated[tuple[SecretRef, ...], Field(max_length=100_000)] = ()
    """Secret versions already on the edge's disk."""
    outbox_epoch: Id
    """Changes when the edge's outbox was lost and started anew."""


class Welcome(Frozen):
    """↓ The hub knows the edge; `protocol` is spoken from here on."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    acknowledged: Annotated[int, Field(ge=0)]
    """The highest event sequence of the edge's outbox epoch that the cloud has kept."""
    wanted_version: Version | None = None
    now: UtcTime
    features: Annotated[tuple[Text, ...], Field(max_length=64)] = ()
    """What the hub can beside the protocol, told to edges that can something of it too."""

    @model_serializer(mode="wrap")
    def _known_to_older_edges(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Edges from before `features` refuse a Welcome that has the field."""
        content: dict[str, Any] = write(self)
        if not self.features:
            del content["features"]
        return content


class Goodbye(Frozen):
    """↓↑ Why the connection ends; `retry` says whether coming back can help."""

    type: Literal["goodbye"] = "goodbye"
    reason: Literal["replaced", "shutting_down", "unauthorized", "unsupported_version", "protocol_error", "revoked"]
    text: Text = ""
    retry: bool = True


class SnapshotMessage(Frozen):
    """↓ A whole snapshot, as JSON; the edge parses it, so that it can refuse with reasons."""

    type: Literal["snapshot"] = "snapshot"
    version: Version
    snapshot: dict[str, Any]


class DeltaMessage(Frozen):
    """↓ The changes since the version that the edge holds."""

    type: Literal["delta"] = "delta"
    delta: SnapshotDelta


class Applied(Frozen):
    """↑ This version runs now."""

    type: Literal["applied"] = "applied"
    version: Version
    digest: Digest


class Rejected(Frozen):
    """↑ This version does not run, and why; the last good one goes on."""

    type: Literal["rejected"] = "rejected"
    version: Version
    problems: Annotated[tuple[Annotated[str, Field(max_length=1024)], ...], Field(min_length=1, max_length=50)]
    resend: bool = False
    """True: a delta did not fit; please send the whole snapshot."""


class SealedSecret(Frozen):
    """One secret version, sealed to the edge's enrolled X25519 key.

    HPKE single-shot base mode (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM; info is `sealing_info(edge_id, ref)`.
    """

    ref: SecretRef
    sealed: Annotated[bytes, Field(max_length=4096)]


class Secrets(Frozen):
    """↓ Secret versions that the edge needs and does not hold."""

    type: Literal["secrets"] = "secrets"
    secrets: Annotated[tuple[SealedSecret, ...], Field(max_length=10_000)]


class StateChange(Frozen):
    """↓↑ Site state records; merging them in any order gives the same."""

    type: Literal["state_change"] = "state_change"
    records: Annotated[tuple[StateRecord, ...], Field(min_length=1, max_length=1000)]


class Event(Frozen):
    """↑ One event of the edge's outbox; at least once, in order."""

    type: Literal["event"] = "event"
    epoch: Id
    sequence: Annotated[int, Field(ge=1, lt=2**63)]
    body: EventBody


class EventAck(Frozen):
    """↓ The cloud has kept every event of this epoch up to and including `sequence`."""

    type: Literal["event_ack"] = "event_ack"
    epoch: Id
    sequence: Annotated[int, Field(ge=0, lt=2**63)]


class Command(Frozen):
    """↓ Something to do at once, such as `report_registrations`."""

    type: Literal["command"] = "command"
    command_id: Id
    name: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    arguments: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = {}


class CommandResult(Frozen):
    """↑ What came of a command; an unknown command is answered, not dropped."""

    type: Literal["command_result"] = "command_result"
    command_id: Id
    ok: bool
    text: Annotated[str, Field(max_length=4096)] = ""
    content: Annotated[str, Field(max_length=MAX_ANSWER_CHARACTERS)] = ""
    """The answer, where the command is a question (`contract.sync.questions`)."""


class BlobRequest(Frozen):
    """↑ Please send this much of a blob from here on; the next request only after the answer (feature `blobs`)."""

    type: Literal["blob_request"] = "blob_request"
    digest: Digest
    offset: Annotated[int, Field(ge=0, lt=MAX_BLOB_BYTES)]
    length: Annotated[int, Field(ge=1, le=MAX_PIECE_BYTES)]


NoPiece = Literal["not_named", "missing", "past_the_end", "unavailable"]
"""`not_named`: none of the site's newest snapshots names it; `missing`: the store has lost it; `past_the_end`: it is
not that long; `unavailable`: the store does not answer, and asking later can help."""


class BlobPiece(Frozen):
    """↓ A piece of a blob, or why there is none."""

    type: Literal["blob_piece"] = "blob_piece"
    digest: Digest
    offset: Annotated[int, Field(ge=0, lt=MAX_BLOB_BYTES)]
    data: Annotated[bytes, Field(max_length=MAX_PIECE_BYTES)] = b""
    """At most as long as was asked for, and shorter where the blob ends or the store has no more at hand; never
    empty, unless it is refused."""
    refused: NoPiece | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if bool(self.data) == (self.refused is not None):
            raise ValueError("a piece has either data or a reason why there is none")
        return self


class RecordingPiece(Frozen):
    """↑ A piece of a recording; the next only after the answer (feature `messages`, calls' `call_recordings`)."""

    type: Literal["recording_piece"] = "recording_piece"
    digest: Digest
    """Of the whole recording, as the event about the message named it."""
    offset: Annotated[int, Field(ge=0, lt=MAX_CALL_RECORDING_BYTES)]
    data: Annotated[bytes, Field(max_length=MAX_PIECE_BYTES)] = b""
    """Empty: only the question where to go on."""


NotKept = Literal["not_named", "not_allowed", "unlike_digest", "unavailable"]
"""`not_named`: nothing that the site told, and that the cloud has taken in, has such a recording yet; `not_allowed`:
the site's recordings may not leave it; `unlike_digest`: other bytes came, and none are kept; `unavailable`: try again
later."""


class RecordingKept(Frozen):
    """↓ How much of a recording the cloud has, all of which survives the hub, or why it takes none."""

    type: Literal["recording_kept"] = "recording_kept"
    digest: Digest
    offset: Annotated[int, Field(ge=0, le=MAX_CALL_RECORDING_BYTES)] = 0
    """The next byte wanted."""
    complete: bool = False
    """True: it is whole, and is what its digest says."""
    refused: NotKept | None = None


class Ping(Frozen):
    """↓↑ Are you there? Answered by a Pong with the same number."""

    type: Literal["ping"] = "ping"
    number: Annotated[int, Field(ge=0)]


class Pong(Frozen):
    """↓↑ Yes."""

    type: Literal["pong"] = "pong"
    number: Annotated[int, Field(ge=0)]


Message = Annotated[
    Challenge
    | Hello
    | Welcome
    | Goodbye
    | SnapshotMessage
    | DeltaMessage
    | Applied
    | Rejected
    | Secrets
    | StateChange
    | Event
    | EventAck
    | Command
    | CommandResult
    | BlobRequest
    | BlobPiece
    | RecordingPiece
    | RecordingKept
    | Ping
    | Pong,
    Field(discriminator="type"),
]

EXPORTER_LABEL = b"EXPORTER-tandem-edge-v1"
"""TLS exporter label (RFC 8446 §7.5) of the 32 bytes that an edge signs on QUIC."""


def proof_text(edge_id: str, binding: bytes) -> bytes:
    """What an edge signs to prove that it is there: `binding` is the exporter (QUIC) or the challenge (WebSocket)."""
    return b"tandem-edge-proof-v1\x00" + edge_id.encode() + b"\x00" + binding


def sealing_info(edge_id: str, ref: str) -> bytes:
    """HPKE info: a sealed secret opens for this edge and this reference only."""
    return b"tandem-secret-v1\x00" + edge_id.encode() + b"\x00" + ref.encode()
