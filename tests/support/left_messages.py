"""Messages as an edge tells of them, taken in by the cloud; with a recording that is in the object store."""

import hashlib
import io
import wave
from datetime import timedelta
from typing import Any
from uuid import UUID

from cloud.models import EventRow, VoicemailMessage
from cloud.objects import ObjectStore
from cloud.pbx.database import Database
from cloud.pbx.edges import KnownEdge
from cloud.pbx.inbox import keep_events
from cloud.pbx.ingest import ingest_events
from cloud.pbx.recordings import keep_piece
from contract.sync.events import EventBody, Happening
from contract.sync.mailbox_events import MessageChanged, Recording
from contract.sync.messages import MAX_PIECE_BYTES, Event, RecordingKept, RecordingPiece
from contract.sync.state import Stamp
from tests.support.customers import TOKENS, HandClock
from tests.support.postgres import Databases


def sound(seconds: float = 1.0, value: int = 1000) -> bytes:
    """A WAV file as the edge records them."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(value.to_bytes(2, "little", signed=True) * int(8000 * seconds))
    return file.getvalue()


def described(content: bytes) -> Recording:
    return Recording(digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


class TellingEdge:
    """Tells the cloud of messages, as an edge does.

    Args:
        databases: of the cloud.
        edge: who tells.
        clock: when.
        epoch: of its outbox.
    """

    def __init__(self, databases: Databases, edge: KnownEdge, clock: HandClock, epoch: str = "e1") -> None:
        self._databases, self._edge, self._clock, self._epoch = databases, edge, clock, epoch
        self._sequence = 0

    def message(
        self, mailbox: UUID | str, content: bytes, message_id: str = "0123456789abcdef", **more: Any
    ) -> MessageChanged:
        """A message that was left just now."""
        now = self._clock.now()
        values: dict[str, Any] = {
            "user_id": str(mailbox),
            "message_id": message_id,
            "stamp": Stamp(wall_ms=int(now.timestamp() * 1000), node="edge"),
            "folder": "inbox",
            "heard": False,
            "caller_number": "200",
            "caller_name": "Ada Example",
            "received_at": now - timedelta(seconds=5),
            "duration_seconds": 1.0,
            "recording": described(content),
        }
        return MessageChanged.model_validate({**values, **more})

    def tell(self, *messages: Happening) -> list[str | None]:
        """Have the cloud take them in; the problem of each event, if any."""
        ids = []
        with self._databases.hub.session(self._edge.scope) as session:
            events = []
            for what in messages:
                self._sequence += 1
                events.append(
                    Event(epoch=self._epoch, sequence=self._sequence, body=EventBody(at=self._clock.now(), what=what))
                )
            keep_events(session, TOKENS, self._edge, events, self._clock.now())
            ids = [event.sequence for event in events]
        with self._databases.worker.session(self._edge.scope) as session:
            ingest_events(session, TOKENS, self._edge.edge_id, self._clock.now())
            rows = (
                session.query(EventRow)
                .where(EventRow.edge_id == self._edge.edge_id, EventRow.epoch == self._epoch)
                .where(EventRow.sequence.in_(ids))
                .order_by(EventRow.sequence)
            )
            return [row.problem for row in rows]

    def send(self, store: ObjectStore, content: bytes) -> RecordingKept:
        """Send a recording, all of it; what the cloud says last."""
        digest, offset = described(content).digest, 0
        while True:
            piece = RecordingPiece(digest=digest, offset=offset, data=content[offset : offset + MAX_PIECE_BYTES])
            with self._databases.hub.session(self._edge.scope) as session:
                kept = keep_piece(session, store, self._edge, piece, self._clock.now())
            if kept.complete or kept.refused is not None:
                return kept
            offset = kept.offset


def rows_of(database: Database, edge: KnownEdge) -> list[VoicemailMessage]:
    """The messages that the cloud knows, the oldest first."""
    with database.session(edge.scope) as session:
        return list(session.query(VoicemailMessage).order_by(VoicemailMessage.id))
