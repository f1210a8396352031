"""Make the music that people hear while they wait: `python -m tools.make_music`.

A slow progression of four chords, each plucked note by note, of decaying sines: computed, so nobody's work but ours.
8 kHz, mono, G.711 µ-law, of a length at which it goes on from its end to its beginning without a break.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.media.applications.music_on_hold import MUSIC
from edge_agent.media.spoken import RATE, ulaw_file

NOTE_SECONDS: Final = 0.375
PEAK: Final = 7_000
"""Soft beside speech."""
CHORDS: Final = (
    (220.0, 261.63, 329.63, 440.0, 523.25, 440.0, 329.63, 261.63),
    (174.61, 220.0, 261.63, 349.23, 440.0, 349.23, 261.63, 220.0),
    (261.63, 329.63, 392.0, 523.25, 659.26, 523.25, 392.0, 329.63),
    (196.0, 246.94, 293.66, 392.0, 493.88, 392.0, 293.66, 246.94),
)
"""A minor, F, C, G; in hertz, each within the band of a telephone."""
TIMES: Final = 2


def music() -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The samples; what rings on beyond the end is mixed into the beginning."""
    step = int(NOTE_SECONDS * RATE)
    notes = [note for _ in range(TIMES) for chord in CHORDS for note in chord]
    total = step * len(notes)
    mixed = np.zeros(total)
    ring = np.arange(4 * step) / RATE
    envelope = np.minimum(1.0, ring / 0.008) * np.exp(-3.0 * ring)
    for at, note in enumerate(notes):
        tone = sum(np.sin(2 * np.pi * note * part * ring) / part**2 for part in (1, 2, 3))
        places = (at * step + np.arange(len(ring))) % total
        np.add.at(mixed, places, tone * envelope)
    scaled: np.ndarray[tuple[int], np.dtype[np.float64]] = mixed * (PEAK / np.abs(mixed).max())
    return scaled


def main() -> int:
    """Write the file."""
    path = Path(MUSIC.path)
    path.write_bytes(ulaw_file(music().astype(np.int16)))
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
