"""What is said, in each language: every word has its file, and moments are said as people say them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge_agent.media.embedded import wav
from edge_agent.media.errors import PromptError
from edge_agent.media.session import Prompt
from edge_agent.media.speech import PROMPTS, Languages, words_of
from tools.write_prompts import PAGE, SOUNDS, page

LANGUAGES = ("de", "en", "es", "fr")


def said(prompts: list[Prompt]) -> str:
    return " ".join(one.path.stem for one in prompts)


def text(prompts: list[Prompt]) -> str:
    """The words themselves."""
    words = words_of(prompts[0].path.parent).spoken()
    return " ".join(words[one.path.stem] for one in prompts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_language_has_its_file_and_is_heard(language: str) -> None:
    folder = PROMPTS / language
    words = words_of(folder).spoken()
    assert {one.stem for one in folder.glob("*.wav")} == set(words)
    for name in words:
        sound = wav.load(folder / f"{name}.wav")
        assert 0.1 < sound.seconds < 40, name
        assert int(abs(sound.samples).max()) > 10_000, name


def test_every_language_says_the_same_phrases() -> None:
    english = words_of(PROMPTS / "en")
    for language in LANGUAGES:
        words = words_of(PROMPTS / language)
        assert words.phrases.keys() == english.phrases.keys()
        assert words.words.keys() >= english.words.keys()
        assert (len(words.months.names), len(words.weekdays.names), len(words.days.names)) == (12, 7, 31)
    assert Languages().names == LANGUAGES


@pytest.mark.parametrize(
    ("language", "at", "expected"),
    [
        ("en", datetime(2026, 11, 26, 9, 5, tzinfo=UTC), "today at 9 oh 5 A M"),
        ("en", datetime(2026, 11, 25, 12, 0, tzinfo=UTC), "yesterday at 12 o'clock P M"),
        ("en", datetime(2026, 11, 3, 0, 30, tzinfo=UTC), "Tuesday November third at 12 30 A M"),
        ("de", datetime(2026, 11, 26, 9, 5, tzinfo=UTC), "heute um 9 Uhr 5"),
        ("de", datetime(2026, 11, 3, 14, 0, tzinfo=UTC), "Dienstag dritter November um 14 Uhr"),
        ("fr", datetime(2026, 11, 1, 21, 45, tzinfo=UTC), "dimanche premier novembre à 21 heures 45"),
        ("es", datetime(2026, 11, 3, 0, 0, tzinfo=UTC), "martes tres de noviembre a las 0 en punto"),
    ],
)
def test_a_moment_is_said_as_people_say_it(language: str, at: datetime, expected: str) -> None:
    assert text(Languages().speech(language).moment(at, date(2026, 11, 26))) == expected


def test_numbers_count_and_telephone_numbers_are_spelled() -> None:
    speech = Languages().speech("en")
    assert said(speech.number(21)) == "number.21"
    assert said(speech.number(120)) == "number.1 number.2 number.0"
    assert said(speech.digits("+49 30-1*#")) == (
        "word.plus number.4 number.9 number.3 number.0 number.1 word.star word.pound"
    )
    # What a caller may call himself is no file name, and is bounded.
    assert speech.digits("../../²") == []
    assert len(speech.digits("1" * 500)) == 32


def test_a_language_that_is_not_there_is_english_and_a_region_of_one_is_that() -> None:
    languages = Languages()
    assert languages.speech("de-CH") is languages.speech("de")
    for unknown in ("", "nl", "../de", "EN_us"):
        assert languages.speech(unknown) is languages.speech("en")


def test_a_phrase_that_is_not_there_and_a_language_that_is_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="no phrase 'nothing' in English"):
        Languages().speech("en").phrase("goodbye", "nothing")
    (tmp_path / "en").mkdir()
    with pytest.raises(PromptError, match="no language en"):
        Languages(tmp_path)
    (tmp_path / "en" / "speech.toml").write_text("name = 1")
    with pytest.raises(PromptError, match=r"en/speech\.toml"):
        Languages(tmp_path)


def test_the_page_of_prompts_lists_every_file_with_its_text() -> None:
    text = page()
    assert PAGE.read_text(encoding="utf-8") == text, "run python -m tools.write_prompts"
    assert {one.stem for one in PROMPTS.glob("*.wav")} == set(SOUNDS)
    spoken = {name for folder in PROMPTS.glob("*/speech.toml") for name in words_of(folder.parent).spoken()}
    missing = {name for name in spoken if f"`{name}`" not in text}
    assert {name.partition(".")[0] for name in missing} == {"number"}
