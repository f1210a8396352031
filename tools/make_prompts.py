"""Speak what applications say into WAV files, with eSpeak NG (Debian package `espeak-ng`).

`python -m tools.make_prompts [LANGUAGE …]`: 8 kHz, mono, G.711 µ-law, half the size of linear samples and the quality
of a telephone. What is said is in `edge_agent/media/prompts/<language>/speech.toml`.
"""

import io
import shutil
import struct
import subprocess
import sys
import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded import g711
from edge_agent.media.speech import PROMPTS, words_of

RATE: Final = 8000
WORDS_A_MINUTE: Final = 165
PEAK: Final = 16_000
QUIET: Final = 150
"""What is under this at the beginning and the end is cut off."""
PAUSE_SECONDS: Final = 0.06
"""Left at both ends, so that pieces do not run into each other."""


def main(wanted: list[str]) -> int:
    """Make the files of these languages, or of all; remove those that no words are left for."""
    if shutil.which("espeak-ng") is None:
        print("espeak-ng is missing: apt-get install espeak-ng")
        return 1
    for folder in sorted(one.parent for one in PROMPTS.glob("*/speech.toml")):
        if wanted and folder.name not in wanted:
            continue
        words = words_of(folder)
        spoken = words.spoken()
        for name, text in spoken.items():
            (folder / f"{name}.wav").write_bytes(ulaw_file(shaped(*synthesised(words.voice, text))))
        for file in folder.glob("*.wav"):
            if file.stem not in spoken:
                file.unlink()
        size = sum(file.stat().st_size for file in folder.glob("*.wav"))
        print(f"{folder.name}: {len(spoken)} files, {size / 1e6:.2f} MB")
    return 0


def synthesised(voice: str, text: str) -> tuple[npt.NDArray[np.float64], int]:
    """Samples and their rate."""
    command = ["espeak-ng", "-v", voice, "-s", str(WORDS_A_MINUTE), "--stdout", "--", text]
    output = bytearray(subprocess.run(command, check=True, capture_output=True).stdout)
    # The lengths in the header of what goes to a pipe are not known when it is written.
    output[4:8], output[40:44] = struct.pack("<I", len(output) - 8), struct.pack("<I", len(output) - 44)
    with wave.open(io.BytesIO(bytes(output))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
        return samples, file.getframerate()


def shaped(samples: npt.NDArray[np.float64], rate: int) -> g711.Samples:
    """At 8 kHz, without what a telephone does not carry, without silence at the ends, and as loud as all others."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum *= np.clip((3700 - frequency) / 300, 0.0, 1.0)
    count = int(len(samples) * RATE / rate)
    brought = np.fft.irfft(spectrum[: count // 2 + 1], count) * count / len(samples)
    loud = np.flatnonzero(np.abs(brought) > QUIET)
    pause = np.zeros(int(PAUSE_SECONDS * RATE))
    spoken = brought[loud[0] : loud[-1] + 1] if len(loud) else brought
    made: g711.Samples = np.concatenate((pause, spoken * PEAK / np.abs(spoken).max(), pause)).astype(np.int16)
    return made


def ulaw_file(samples: g711.Samples) -> bytes:
    """A WAV file of format 7 (G.711 µ-law)."""
    data = g711.encode(0, samples)
    data += b"\xff" * (len(data) % 2)
    chunk = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, RATE, RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(data))
    body = b"WAVE" + chunk + fact + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


if __name__ == "__main__":
    sys.exit(main([str(Path(one).name) for one in sys.argv[1:]]))
