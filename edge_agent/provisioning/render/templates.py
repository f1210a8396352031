"""Jinja2 held short: sandboxed, nothing undefined, and no value that would break out of its line or its element.

Values come from people: each is checked where it is written, so that no template can forget to.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, Undefined

from contract.devices import Plugin, Syntax, refusal, velocity
from edge_agent.provisioning.errors import RenderError
from edge_agent.provisioning.render.sandbox import MAX_FILE_CHARACTERS, PluginEnvironment
from edge_agent.provisioning.render.sipxcom import velocity_names

_XML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


class _ValueRefused(Exception):
    """A value that the file's syntax has no way to write."""


class PluginTemplates:
    """One plug-in's templates, compiled once.

    Args:
        plugin: whose templates.

    Raises:
        RenderError: a template is not valid Jinja2; names file and line.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._refused = plugin.refused_values
        writers: dict[Syntax, Callable[[object], object]] = {"text": self._written, "xml": self._written_in_xml}
        used = {file.syntax for model in plugin.models.values() for file in model.files}
        self._templates = {syntax: self._compiled(plugin, writers[syntax]) for syntax in used}
        self._velocity = {name: self._parsed(plugin, name) for name in plugin.templates if name.endswith(".vm")}
        self._writers = writers

    @staticmethod
    def _compiled(plugin: Plugin, written: Callable[[object], object]) -> dict[str, Template]:
        environment = PluginEnvironment(
            loader=DictLoader(dict(plugin.templates)),
            undefined=StrictUndefined,
            autoescape=False,  # these are no HTML; `written` refuses or escapes what would break the line
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=written,
        )
        templates = {}
        for name in plugin.templates:
            if name.endswith(".vm"):
                continue
            try:
                templates[name] = environment.get_template(name)
            except TemplateError as error:
                line = getattr(error, "lineno", 0)
                raise RenderError(f"{plugin.vendor}/templates/{name}:{line}: {error.message}") from None
        return templates

    @staticmethod
    def _parsed(plugin: Plugin, name: str) -> tuple[velocity.Node, ...]:
        try:
            return velocity.parse(plugin.templates[name])
        except velocity.VelocityError as error:
            raise RenderError(f"{plugin.vendor}/templates/{name}:{error.line}: {error}") from None

    def render(self, template: str, names: Mapping[str, object], syntax: Syntax = "text") -> bytes:
        """The text of one file, UTF-8; in XML, every value that the template writes is escaped.

        Raises:
            RenderError: a value cannot be written, or the template names something that is not there.
        """
        try:
            if (nodes := self._velocity.get(template)) is not None:
                written = self._writers[syntax]
                return velocity.evaluate(nodes, velocity_names(names), lambda value: str(written(value))).encode()
            return _joined(self._templates[syntax][template].generate(names)).encode()
        except _ValueRefused as error:
            raise RenderError(str(error)) from None
        except (TemplateError, UnicodeEncodeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Only the kind of error: its text could hold a value.
            raise RenderError(f"{template} cannot be rendered ({type(error).__name__})") from None

    def _written(self, value: object) -> object:
        if isinstance(value, Undefined):
            return value  # StrictUndefined complains by itself
        text = str(value)
        if (problem := refusal(text, self._refused)) is not None:
            raise _ValueRefused(f"a value {problem}")
        return text

    def _written_in_xml(self, value: object) -> object:
        written = self._written(value)
        return written if isinstance(written, Undefined) else str(written).translate(_XML)


def _joined(parts: Iterable[str]) -> str:
    """The whole text.

    Raises:
        ValueError: it is longer than any file of a phone.
    """
    whole: list[str] = []
    left = MAX_FILE_CHARACTERS
    for part in parts:
        left -= len(part)
        if left < 0:
            raise ValueError("the file is too long")
        whole.append(part)
    return "".join(whole)
