"""What is answered to who is going to listen: where, for how long, and how it is drawn."""

from collections.abc import Iterable
from typing import Final

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from cloud.api.chalicelib.fields import Shown
from cloud.api.chalicelib.listening_tickets import TICKET_SECONDS, HeardSound
from cloud.api.chalicelib.work import Work
from cloud.pbx.waveforms import Waveform

DRAWN_BYTES: Final = 16 * 1024 * 1024
"""A larger recording is read for its waveform only while it comes in."""


class Listening(Shown):
    """A player may ask for parts of a sound; the cookie that lets it in comes along."""

    url: str = Field(description="Where, relative to this API")
    expires_in: int = Field(description="Seconds; ask again before, and the same address goes on")
    peaks: list[float] | None = Field(
        description="How loud each of 96 stretches is, 1 being the loudest; null: it is not known"
    )


def begun_listening(work: Work, heard: HeardSound, peaks: bytes | None = None) -> Response[Listening]:
    """Let whoever asks listen to it.

    Args:
        heard: he may.
        peaks: as `Waveform` says them; None: not known.
    """
    loudest = max(peaks or b"\x01") or 1
    shown = [round(one / loudest, 3) for one in peaks] if peaks is not None else None
    body = Listening(url=heard.url, expires_in=TICKET_SECONDS, peaks=shown)
    cookie = work.services.listening.cookie(work.claims, heard)
    return Response(201, "application/json", body, headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})


def drawn(size_bytes: int, chunks: Iterable[bytes]) -> bytes | None:
    """The peaks of a sound that is read for them; None where it is no sound."""
    waveform = Waveform(size_bytes)
    for chunk in chunks:
        waveform.take(chunk)
    return waveform.peaks
