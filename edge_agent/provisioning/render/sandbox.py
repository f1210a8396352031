"""Jinja2's sandbox, held shorter: plug-ins are uploaded, so a template must neither reach out nor fill the memory.

What the shipped templates use is the measure: a few filters, a few methods of text, numbers that fit into a line.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_REPEATED: Final = 10_000
"""How long a text or list may become by `*`."""
MAX_FILE_CHARACTERS: Final = 4 << 20
"""Of one rendered file."""
FILTERS: Final = frozenset(
    (
        *("abs", "d", "default", "first", "float", "int", "join", "last", "length", "list", "lower", "max", "min"),
        *("replace", "round", "sort", "string", "sum", "trim", "unique", "upper"),
    )
)
_METHODS: Final = frozenset(
    (
        *("endswith", "format", "isdigit", "lower", "partition", "removeprefix", "removesuffix", "replace"),
        *("rpartition", "rsplit", "split", "startswith", "strip", "upper"),
    )
)
_WIDTH = re.compile(r"%[^a-zA-Z%]*?(?:\d{4,}|\*)|\{[^{}]*:")


class PluginEnvironment(ImmutableSandboxedEnvironment):
    """The environment that plug-ins' templates are compiled in."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals = {"range": self.globals["range"]}
        self.filters = {name: work for name, work in self.filters.items() if name in FILTERS}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Text has the methods that cannot make much of little."""
        if isinstance(obj, str | bytes) and attr not in _METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`"…{name}…".format()` without widths."""
        text = getattr(value, "__self__", None)
        if isinstance(text, str) and _WIDTH.search(text):
            raise SecurityError("a width in a format")
        return super().wrap_str_format(value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`*`, `**` and `%` of numbers that fit into a line, and of short texts."""
        sizes = [len(each) if isinstance(each, str | bytes | list | tuple) else None for each in (left, right)]
        if operator == "%" and isinstance(left, str) and _WIDTH.search(left):
            raise SecurityError("a width in a format")
        if operator == "*" and any(size is not None for size in sizes):
            product = 1
            for size, value in zip(sizes, (left, right), strict=True):
                product *= size if size is not None else max(int(value), 0)
            if product > MAX_REPEATED:
                raise SecurityError("a text is repeated too often")
        if operator == "**" and (abs(left) > 10_000 or abs(right) > 64):
            raise SecurityError("a power is too large")
        return super().call_binop(context, operator, left, right)
