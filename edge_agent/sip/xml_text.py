"""Text as XML wants it (XML 1.0 §2.4, §3.3.3); the standard library's does the same and loads an HTTP client for it."""

from typing import Final

_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_ATTRIBUTES: Final = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def escape(text: str) -> str:
    """Between two tags."""
    return text.translate(_IN_TEXT)


def quoteattr(text: str) -> str:
    """As the value of an attribute, with its quotation marks."""
    return f'"{text.translate(_IN_ATTRIBUTES)}"'
