"""Regular expressions that come from plug-ins: compiled only when no text can make them run for ages.

Plug-ins are uploaded by people and matched against what phones on a network send. Python's engine backtracks, so a
repeat within an endless repeat, or many endless repeats, takes time that grows with a power of the text's length.
"""

import re
import warnings
from typing import Final

MAX_PATTERN: Final = 300
MAX_ENDLESS: Final = 5
"""How many repeats without an end one pattern may have."""

_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\((?:\?(?:P?<[^>]*>|[:=!]|<[=!]))?)|(?P<close>\))"
    r"|(?P<endless>[*+]|\{[0-9]*,\})[?+]?|\?[?+]?|\{[0-9]+(?:,[0-9]+)?\}[?+]?|.",
    re.DOTALL,
)


class PatternRefused(ValueError):
    """A text that is no regular expression, or one that could take for ever; the text says which."""


def compile_pattern(text: str, flags: int = 0, limit: int = MAX_PATTERN) -> re.Pattern[str]:
    """The regular expression.

    Args:
        text: as the plug-in writes it.
        flags: of `re.compile`.
        limit: its greatest length.

    Raises:
        PatternRefused: and why.
    """
    if not text or len(text) > limit:
        raise PatternRefused(f"must have 1 to {limit} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a later Python will read otherwise
            pattern = re.compile(text, flags)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise PatternRefused(f"is no regular expression: {error}") from None
    _refuse_endless(text)
    return pattern


def _refuse_endless(text: str) -> None:
    endless = 0
    inside = [False]
    """Whether each open group holds a repeat without an end, the whole pattern first."""
    closed = False
    """Whether the group that was just closed does."""
    for token in _TOKEN.finditer(text):
        if token["open"]:
            inside.append(False)
        elif token["close"]:
            closed = inside.pop() if len(inside) > 1 else False
            inside[-1] = inside[-1] or closed
            continue
        elif token["endless"]:
            endless += 1
            if closed:
                raise PatternRefused("repeats without an end what repeats without an end itself")
            inside[-1] = True
        closed = False
    if endless > MAX_ENDLESS:
        raise PatternRefused(f"has more than {MAX_ENDLESS} repeats without an end (*, +, {{n,}})")
