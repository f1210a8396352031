"""Texts spoken by eSpeak NG into WAV files that every engine plays: 8 kHz, mono, G.711 µ-law.

The Debian package `espeak-ng`; its voices place no condition on what they speak.
"""

import io
import shutil
import struct
import subprocess
import threading
import wave
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_agent.media.embedded import g711
from edge_agent.media.errors import MediaError

PROGRAM: Final = "espeak-ng"
RATE: Final = 8000
WORDS_A_MINUTE: Final = 165
LONGEST_SECONDS: Final = 30.0
"""That speaking one text may take."""
_PEAK: Final = 16_000
_QUIET: Final = 150
"""What is under this at the beginning and the end is cut off."""
_PAUSE_SECONDS: Final = 0.06
"""Left at both ends, so that pieces do not run into each other."""


class NotSpoken(MediaError):
    """A text cannot be spoken here; the message says why."""


def is_there() -> bool:
    """Whether this machine can speak."""
    return shutil.which(PROGRAM) is not None


def speak(voice: str, text: str, path: Path) -> None:
    """Speak a text into a file, which appears whole or not at all. Takes a moment: not for the loop's thread.

    Args:
        voice: of eSpeak NG, such as `en-us`.
        text: one line.
        path: where to.

    Raises:
        NotSpoken: there is no eSpeak NG, it does not know the voice, or nothing is to be heard.
        OSError: the disk would not.
    """
    content = ulaw_file(_shaped(*_synthesised(voice, text)))
    aside = path.with_suffix(f".{threading.get_ident()}.new")
    aside.write_bytes(content)
    aside.replace(path)


def _synthesised(voice: str, text: str) -> tuple[npt.NDArray[np.float64], int]:
    """Samples and their rate."""
    command = ["nice", "-n", "19", PROGRAM, "-v", voice, "-s", str(WORDS_A_MINUTE), "--stdout", "--", text]
    if not is_there():
        raise NotSpoken(f"{PROGRAM} is not installed")
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=LONGEST_SECONDS)  # noqa: S603 - no shell
    except (OSError, subprocess.SubprocessError) as error:
        raise NotSpoken(f"{PROGRAM} with the voice {voice}: {type(error).__name__}") from error
    output = bytearray(done.stdout)
    if len(output) < 46:
        raise NotSpoken("there is nothing to be heard in it")
    # The lengths in the header of what goes to a pipe are not known when it is written.
    output[4:8], output[40:44] = struct.pack("<I", len(output) - 8), struct.pack("<I", len(output) - 44)
    with wave.open(io.BytesIO(bytes(output))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
        return samples, file.getframerate()


def _shaped(samples: npt.NDArray[np.float64], rate: int) -> g711.Samples:
    """At 8 kHz, without what a telephone does not carry, without silence at the ends, and as loud as all others."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum *= np.clip((3700 - frequency) / 300, 0.0, 1.0)
    count = int(len(samples) * RATE / rate)
    brought = np.fft.irfft(spectrum[: count // 2 + 1], count) * count / len(samples)
    loud = np.flatnonzero(np.abs(brought) > _QUIET)
    if not len(loud):
        raise NotSpoken("there is nothing to be heard in it")
    pause = np.zeros(int(_PAUSE_SECONDS * RATE))
    spoken = brought[loud[0] : loud[-1] + 1]
    made: g711.Samples = np.concatenate((pause, spoken * _PEAK / np.abs(spoken).max(), pause)).astype(np.int16)
    return made


def ulaw_file(samples: g711.Samples) -> bytes:
    """A WAV file of format 7 (G.711 µ-law)."""
    data = g711.encode(0, samples)
    data += b"\xff" * (len(data) % 2)
    chunk = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, RATE, RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(data))
    body = b"WAVE" + chunk + fact + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
