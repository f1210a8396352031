"""Text from outside as PostgreSQL can keep it: no column takes a NUL, and one must not hold up what comes after it."""

from typing import Any

_NUL = "\0"
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


def storable_text(text: str) -> str:
    """The text with U+FFFD for every NUL."""
    return text.replace(_NUL, _INSTEAD)


def storable(value: Any) -> Any:
    """The same for a JSON value, its keys too."""
    match value:
        case str():
            return storable_text(value)
        case list():
            return [storable(item) for item in value]
        case dict():
            return {storable_text(key): storable(item) for key, item in value.items()}
        case _:
            return value
