"""What applications say in the caller's language: phrases, numbers, digits, moments, as prompts one after the other.

A language is a folder of `prompts`: `speech.toml` says the words and the order of a date, and each word has its WAV
file beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from contract.values import Frozen
from edge_agent.media.errors import PromptError
from edge_agent.media.session import Prompt

PROMPTS: Final = Path(__file__).parent / "prompts"
DEFAULT_LANGUAGE: Final = "en"
LARGEST_NUMBER: Final = 99
"""Beyond it a number is said digit by digit."""

Order = Annotated[tuple[str, ...], Field(min_length=1)]


class Grammar(Frozen):
    """In which order a moment is said, and how its hours are."""

    today: Order
    yesterday: Order
    date: Order
    clock: Annotated[int, Field(ge=12, le=24, multiple_of=12)]
    """12 or 24 hours."""
    hour_after: str = ""
    """Word between hours and minutes; empty: none."""
    minute_zero: str = ""
    """Word in the place of no minutes; empty: none."""


class Names(Frozen):
    """Words that are counted."""

    names: tuple[str, ...]


class Words(Frozen):
    """One `speech.toml`."""

    name: str
    """Of the language, in itself."""
    voice: str
    """Of the synthesiser that speaks it."""
    grammar: Grammar
    words: Mapping[str, str]
    months: Names
    weekdays: Names
    days: Names
    """Of a month, as they are said in a date."""
    phrases: Mapping[str, str]

    def spoken(self) -> dict[str, str]:
        """Every file's name without its suffix, with what is said in it."""
        return {
            **{f"word.{name}": text for name, text in self.words.items()},
            **{f"month.{number}": text for number, text in enumerate(self.months.names, 1)},
            **{f"weekday.{number}": text for number, text in enumerate(self.weekdays.names, 1)},
            **{f"day.{number}": text for number, text in enumerate(self.days.names, 1)},
            **{f"number.{number}": str(number) for number in range(LARGEST_NUMBER + 1)},
            **{f"phrase.{name}": text for name, text in self.phrases.items()},
        }


def words_of(folder: Path) -> Words:
    """The words of a language.

    Raises:
        PromptError: its file is missing or wrong.
    """
    try:
        return Words.model_validate(tomllib.loads((folder / "speech.toml").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise PromptError(f"{folder.name}/speech.toml: {error}") from error


class Speech:
    """One language, ready to be said.

    Args:
        folder: its folder.
        words: what is in it.
    """

    def __init__(self, folder: Path, words: Words) -> None:
        self._folder = folder
        self._words = words

    @property
    def voice(self) -> str:
        """Of the synthesiser that speaks this language."""
        return self._words.voice

    def phrase(self, *names: str) -> list[Prompt]:
        """Phrases by their names.

        Raises:
            PromptError: there is none of that name.
        """
        for name in names:
            if name not in self._words.phrases:
                raise PromptError(f"no phrase {name!r} in {self._words.name}")
        return [self._file(f"phrase.{name}") for name in names]

    def number(self, value: int) -> list[Prompt]:
        """A number that counts something, such as 21."""
        return [self._file(f"number.{value}")] if 0 <= value <= LARGEST_NUMBER else self.digits(str(value))

    def digits(self, text: str) -> list[Prompt]:
        """A telephone number, one digit after the other; what is no key is passed over."""
        named = {"*": "word.star", "#": "word.pound", "+": "word.plus"}
        files = (named.get(key) or (f"number.{key}" if key.isascii() and key.isdigit() else "") for key in text[:32])
        return [self._file(file) for file in files if file]

    def moment(self, at: datetime, today: date) -> list[Prompt]:
        """A moment in the site's time, such as yesterday at 9:05.

        Args:
            at: in the site's time zone.
            today: there, for today and yesterday.
        """
        grammar = self._words.grammar
        days = (today - at.date()).days
        order: Sequence[str] = {0: grammar.today, 1: grammar.yesterday}.get(days, grammar.date)
        said: list[Prompt] = []
        for part in order:
            match part:
                case "time":
                    said += self._time(at)
                case "weekday":
                    said.append(self._file(f"weekday.{at.isoweekday()}"))
                case "month":
                    said.append(self._file(f"month.{at.month}"))
                case "day":
                    said.append(self._file(f"day.{at.day}"))
                case word:
                    said.append(self._file(f"word.{word}"))
        return said

    def _time(self, at: datetime) -> list[Prompt]:
        grammar = self._words.grammar
        hour = at.hour if grammar.clock == 24 else at.hour % 12 or 12
        said = [f"number.{hour}"]
        if grammar.hour_after:
            said.append(f"word.{grammar.hour_after}")
        if at.minute == 0:
            said += [f"word.{grammar.minute_zero}"] if grammar.minute_zero else []
        elif at.minute < 10 and grammar.clock == 12:
            said += ["word.oh", f"number.{at.minute}"]
        else:
            said.append(f"number.{at.minute}")
        if grammar.clock == 12:
            said.append("word.am" if at.hour < 12 else "word.pm")
        return [self._file(name) for name in said]

    def _file(self, name: str) -> Prompt:
        return Prompt(self._folder / f"{name}.wav")


class Languages:
    """The languages that come with the agent; one that is not there is English."""

    def __init__(self, root: Path = PROMPTS) -> None:
        """Read every language.

        Raises:
            PromptError: one of them is wrong.
        """
        folders = sorted(one.parent for one in root.glob("*/speech.toml"))
        self._speeches = {folder.name: Speech(folder, words_of(folder)) for folder in folders}
        if DEFAULT_LANGUAGE not in self._speeches:
            raise PromptError(f"no language {DEFAULT_LANGUAGE} in {root}")

    @property
    def names(self) -> tuple[str, ...]:
        """Their tags (RFC 5646)."""
        return tuple(self._speeches)

    def speech(self, language: str) -> Speech:
        """The best that there is for a language tag such as `de-CH`."""
        return self._speeches.get(language.partition("-")[0].lower(), self._speeches[DEFAULT_LANGUAGE])
