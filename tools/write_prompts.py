"""Write the page of everything that the system says by itself: each prompt's text in every language, and its licence.

`page()` gives the text; a test compares it with what is checked in.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_agent.media.speech import PROMPTS, Words, words_of

PAGE: Final = Path("docs/prompts.md")
SOUNDS: Final[Mapping[str, str]] = {
    "beep": "one tone: speak after it",
    "confirmed": "three rising tones: a feature code was understood",
    "declined": "two falling tones: it was not",
    "echo_test": "“This is the echo test. Speak, and you will hear yourself. Hang up when you are done.”",
    "entry": "two rising tones: somebody came into the conference",
    "exit": "two falling tones: somebody left it",
    "music": "music for those who wait, 24 s",
}
"""The files that have no language."""
_HEAD: Final = """# Prompts

Everything that the system says or plays by itself, with its text. What callers hear first, what they are asked, and how
numbers and moments are said is in `edge_agent/media/prompts/<language>/speech.toml`; each row below is one WAV file of
that folder in each language.

**Licence.** All texts are the project's own, and so are tones and music, which are computed
(`python -m tools.make_tones`, `python -m tools.make_music`): they are under its licence. The speech is made by
eSpeak NG (Debian package `espeak-ng`, GPL-3.0-or-later), whose licence covers the program and places no condition on
what it speaks. No recording of a person and no file of somebody else's is among them. How they are made:
[prompts](../edge_agent/media/prompts/README.md).

Written by `python -m tools.write_prompts`.
"""


def page() -> str:
    """The whole page."""
    languages = {
        folder.name: words_of(folder) for folder in sorted(one.parent for one in PROMPTS.glob("*/speech.toml"))
    }
    text = _HEAD + "\n## Without a language\n\n| file | what is heard |\n| --- | --- |\n"
    text += "".join(f"| `{name}.wav` | {what} |\n" for name, what in SOUNDS.items())
    text += "\n## In every language\n\n| language | voice of eSpeak NG | files |\n| --- | --- | --- |\n"
    for name, words in languages.items():
        text += f"| `{name}` {words.name} | `{words.voice}` | {len(words.spoken())} |\n"
    for title, kind in (
        ("Phrases", "phrase"),
        ("Words", "word"),
        ("Months", "month"),
        ("Weekdays", "weekday"),
        ("Days of a month", "day"),
    ):
        text += f"\n## {title}\n\n{_table(languages, kind)}"
    return (
        text + "\n## Numbers\n\n`number.0.wav` to `number.99.wav`: the number, as the voice of the language says it.\n"
    )


def _table(languages: Mapping[str, Words], kind: str) -> str:
    spoken = {name: words.spoken() for name, words in languages.items()}
    files = dict.fromkeys(file for texts in spoken.values() for file in texts if file.startswith(f"{kind}."))
    head = "| file | " + " | ".join(words.name for words in languages.values()) + " |\n"
    rows = (f"| `{file}` | " + " | ".join(texts.get(file, "") for texts in spoken.values()) + " |\n" for file in files)
    return head + "| --- " * (len(languages) + 1) + "|\n" + "".join(rows)


def main() -> None:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
