"""Music: what those hear who wait, and numbers that play it."""

from typing import Literal

from contract.snapshot.served import Served
from contract.values import Digest, Frozen, Text


class OwnMusic(Frozen):
    """A sound file that is played again and again: WAV of 8 kHz, mono, 16-bit or G.711."""

    digest: Digest
    """Its blob."""
    name: Text = ""
    """Of the file, for people."""


class Music(Served):
    """Music that never ends: to be transferred to, or what phones play to those whom they hold (RFC 7088)."""

    kind: Literal["music"] = "music"
    music: OwnMusic | None = None
    """None: that of whoever calls."""
