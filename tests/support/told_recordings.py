"""Recordings of calls and conferences as an edge tells of them and sends them, taken in by the cloud."""

import hashlib
import math
import struct
from datetime import timedelta
from typing import Any, Final

from cloud.objects import ObjectStore
from cloud.pbx.call_recordings import Intake, keep_call_piece
from cloud.pbx.edges import KnownEdge
from cloud.pbx.secrets import KeyService
from contract.sync.call_recordings import CALL_PIECE_BYTES, CallRecorded
from contract.sync.messages import RecordingKept, RecordingPiece
from tests.support.customers import TOKENS, HandClock
from tests.support.postgres import Databases

RATE: Final = 8000


def call_sound(seconds: float = 1.0, loudness: float = 0.3) -> bytes:
    """A WAV file as edges record calls: two channels of µ-law, a tone on the left and silence on the right."""
    frames = int(RATE * seconds)
    left = bytes(_mu_law(int(32_000 * loudness * math.sin(2 * math.pi * 400 * n / RATE))) for n in range(RATE // 400))
    data = b"".join(bytes((left[n % len(left)], 0xFF)) for n in range(frames))
    shape = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 2, RATE, RATE * 2, 2, 8, 0)
    shape += struct.pack("<4sI", b"fact", 4) + struct.pack("<I", frames)
    whole = shape + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(whole), b"WAVE") + whole


def conference_sound(seconds: float = 1.0) -> bytes:
    """A WAV file as edges record conferences: one channel of 16 bits at 8 kHz, a tone."""
    tone = b"".join(struct.pack("<h", int(9_600 * math.sin(2 * math.pi * 400 * n / RATE))) for n in range(RATE // 400))
    data = (tone * (int(RATE * seconds) * 2 // len(tone) + 1))[: int(RATE * seconds) * 2]
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    whole = shape + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(whole), b"WAVE") + whole


def recorded_conference(clock: HandClock, content: bytes, recording_id: str, room_id: str = "team") -> CallRecorded:
    """What an edge tells of a recording of a conference that ended just now."""
    return recorded(clock, content, "", recording_id, conference={"room_id": room_id, "name": room_id.title()})


def _mu_law(sample: int) -> int:
    """One sample of 16 bits (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    size = min(abs(sample), 32_635) + 0x84
    exponent = size.bit_length() - 8
    return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 0x0F)) & 0xFF


def recorded(clock: HandClock, content: bytes, sip_call_id: str, recording_id: str, **more: Any) -> CallRecorded:
    """What an edge tells of a recording that ended just now."""
    values: dict[str, Any] = {
        "recording_id": recording_id,
        "sip_call_id": sip_call_id,
        "began_at": clock.now() - timedelta(minutes=1),
        "seconds": max(0.1, (len(content) - 58) / RATE / 2),
        "announced": True,
        "digest": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    return CallRecorded.model_validate({**values, **more})


def bring_sound(
    databases: Databases, edge: KnownEdge, store: ObjectStore, keys: KeyService, clock: HandClock, content: bytes
) -> RecordingKept:
    """Send a recording, all of it, as an edge does; what the cloud says last."""
    intake, digest, offset = Intake(store, keys, TOKENS), hashlib.sha256(content).hexdigest(), 0
    while True:
        piece = RecordingPiece(digest=digest, offset=offset, data=content[offset : offset + CALL_PIECE_BYTES])
        with databases.hub.session(edge.scope) as session:
            kept = keep_call_piece(session, intake, edge, piece, clock.now())
        assert kept is not None, "nobody told of it"
        if kept.complete or kept.refused is not None:
            return kept
        offset = kept.offset
