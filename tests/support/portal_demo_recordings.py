"""What was recorded in the demo, as the cloud has it: a user's messages, faxes of a group, a conference."""

import random
import struct
from datetime import timedelta
from typing import Final

from cloud.api.chalicelib.services import Services
from cloud.pbx.edges import KnownEdge
from contract.sync.mailbox_events import FaxSheets
from tests.support.customers import HandClock
from tests.support.fax_files import Sheet, tiff
from tests.support.left_messages import TellingEdge
from tests.support.postgres import Databases
from tests.support.told_recordings import bring_sound, recorded

_RATE: Final = 8000
_MEETING_SECONDS: Final = 402
_CALLERS: Final = (("+49301234777", "Mill", 23), ("203", "Warehouse", 8), ("+4989555123", "", 41))
_FAXES: Final = (
    ("+49301234888", "Flour and more", FaxSheets(pages=2, station="+49 30 1234888", result="OK")),
    ("+4940777456", "", FaxSheets(pages=1, complete=False, result="The call dropped prematurely")),
)


def keep_recordings(databases: Databases, services: Services, clock: HandClock, edge: KnownEdge, user_id: str) -> None:
    """Messages of a user, one of them heard, faxes of a group that he is in, and a meeting of yesterday.

    The site lets recordings leave, and its plan has the fax mailbox `office-fax`.
    """
    files, now = services.files, clock.now()
    assert files is not None
    telling = TellingEdge(databases, edge, clock)
    for place, (number, name, seconds) in enumerate(_CALLERS):
        content = spoken_like(seconds)
        told = telling.message(
            user_id,
            content,
            f"{place:016x}",
            heard=place == 2,
            caller_number=number,
            caller_name=name,
            received_at=now - timedelta(minutes=25 + 170 * place),
            duration_seconds=float(seconds),
        )
        assert telling.tell(told) == [None]
        assert telling.send(files.store, content).complete
    for place, (number, name, sheets) in enumerate(_FAXES):
        content = tiff(*[Sheet()] * sheets.pages)
        told = telling.message(
            "office-fax",
            content,
            f"{16 + place:016x}",
            fax=sheets,
            caller_number=number,
            caller_name=name,
            received_at=now - timedelta(minutes=52 + 240 * place),
        )
        assert telling.tell(told) == [None]
        assert telling.send(files.store, content).complete
    meeting = spoken_like(_MEETING_SECONDS)
    room = {"room_id": "team", "name": "Team meeting"}
    kept = {"began_at": now - timedelta(days=1), "seconds": float(_MEETING_SECONDS), "conference": room}
    coming = {"began_at": now - timedelta(minutes=90), "seconds": 1412.0, "conference": room}
    assert telling.tell(
        recorded(clock, meeting, "", "5c0f9a7d21e84b36", **kept),
        recorded(clock, spoken_like(1), "", "77c1d5e0a3b94f20", **coming),
    ) == [None, None]
    assert bring_sound(databases, edge, files.store, services.keys, clock, meeting).complete


def spoken_like(seconds: int) -> bytes:
    """A WAV file of 16 bits at 8 kHz that rises and falls as people who speak do."""
    chance, parts, speaker = random.Random(seconds), [], 0
    for place in range(4 * seconds):
        if place % (seconds // 20 + 1) == 0:
            speaker = chance.choice((0, 3000, 7000, 12_000))
        loudness = int(speaker * chance.uniform(0.2, 1))
        wave = struct.pack("<h", -loudness) * 20 + struct.pack("<h", loudness) * 20
        parts.append(wave * (_RATE // 4 // 40))
    data = b"".join(parts)
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, _RATE * 2, 2, 16)
    whole = shape + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(whole), b"WAVE") + whole
