"""Write the tones of voice services as WAV files: sines that swell and fade, 8 kHz, mono, 16-bit linear.

`python -m tools.make_tones`; what each is made of stands in the README beside them, too.
"""

import sys
import wave
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.media.speech import PROMPTS

RATE: Final = 8000
PEAK: Final = 8000
EDGE_SECONDS: Final = 0.01
"""Of swelling, and of fading."""
TONES: Final = {
    "entry": ((523, 0.1), (0, 0.03), (784, 0.15), (0, 0.05)),
    "exit": ((784, 0.1), (0, 0.03), (523, 0.15), (0, 0.05)),
}
"""By file: hertz (0: silence) and seconds, one after the other."""


def main(folder: Path = PROMPTS) -> int:
    """Make every file."""
    for name, parts in TONES.items():
        samples = np.concatenate([sine(hertz, seconds) for hertz, seconds in parts])
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
    return 0


def sine(hertz: int, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One part."""
    at = np.arange(round(seconds * RATE)) / RATE
    swell = np.clip(np.minimum(at, seconds - at) / EDGE_SECONDS, 0.0, 1.0)
    return np.asarray(PEAK * np.sin(2 * np.pi * hertz * at) * swell)


if __name__ == "__main__":
    sys.exit(main())
