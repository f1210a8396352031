"""Speak what applications say into WAV files, with eSpeak NG (Debian package `espeak-ng`).

`python -m tools.make_prompts [LANGUAGE …]`: 8 kHz, mono, G.711 µ-law, half the size of linear samples and the quality
of a telephone. What is said is in `edge_agent/media/prompts/<language>/speech.toml`.
"""

import sys
from pathlib import Path

from edge_agent.media.speech import PROMPTS, words_of
from edge_agent.media.spoken import is_there, speak


def main(wanted: list[str]) -> int:
    """Make the files of these languages, or of all; remove those that no words are left for."""
    if not is_there():
        print("espeak-ng is missing: apt-get install espeak-ng")
        return 1
    for folder in sorted(one.parent for one in PROMPTS.glob("*/speech.toml")):
        if wanted and folder.name not in wanted:
            continue
        words = words_of(folder)
        spoken = words.spoken()
        for name, text in spoken.items():
            speak(words.voice, text, folder / f"{name}.wav")
        for file in folder.glob("*.wav"):
            if file.stem not in spoken:
                file.unlink()
        size = sum(file.stat().st_size for file in folder.glob("*.wav"))
        print(f"{folder.name}: {len(spoken)} files, {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main([str(Path(one).name) for one in sys.argv[1:]]))
