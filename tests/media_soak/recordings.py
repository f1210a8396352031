"""Whether messages of a mailbox are whole: their note can be read, and the caller is heard in their audio."""

import json
import wave
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

_SHORTEST_SECONDS: Final = 1.0
_LOUD: Final = 2000
"""Root mean square of the callers' tone is several times that; silence is 0."""


def whole_messages(mailbox: Path) -> tuple[Counter[str], list[str]]:
    """How many messages of each caller can be played, and what is wrong with the others."""
    callers: Counter[str] = Counter()
    unusable: list[str] = []
    for path in mailbox.glob("*.json"):
        try:
            note = json.loads(path.read_text())
            with wave.open(str(path.with_suffix(".wav")), "rb") as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
                seconds = file.getnframes() / file.getframerate()
            caller = note["caller"]["number"]
        except (OSError, ValueError, KeyError, EOFError, wave.Error) as error:
            unusable.append(f"{path.name} cannot be played: {error}")
            continue
        if seconds < _SHORTEST_SECONDS or abs(seconds - note["duration_seconds"]) > 1.0:
            unusable.append(f"{path.name} has {seconds:.1f} s of {note['duration_seconds']:.1f} s")
        elif np.sqrt(np.mean(sound**2)) < _LOUD:
            unusable.append(f"{path.name} is silent")
        else:
            callers[caller] += 1
    return callers, unusable
