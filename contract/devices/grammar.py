"""The grammar of a plug-in's settings.xml (docs/devices.md): elements in, definitions out, every problem named.

A definition still has its conditions; `contract.devices.narrowing` makes one model's settings of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast, get_args

from contract.devices.inheritance import CONDITION, expanded
from contract.devices.model import Option, SettingType, Value
from contract.devices.patterns import PatternRefused, compile_pattern
from contract.devices.problems import PluginProblems, Problem
from contract.devices.xml_tree import Element, parse_xml

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
PARAMETER: Final = re.compile(r"(?! )(?:[A-Za-z0-9_./ -]|\{account\}|\{index\}){1,128}(?<! )")
MAX_PATTERN: Final = 200

_ATTRIBUTES: Final = {
    "group": frozenset({"name", "label", "repeat"}) | CONDITION,
    "setting": frozenset(
        {"name", "type", "label", "default", "parameter", "advanced", "min", "max", "max-length", "pattern"}
        | {"true", "false"}
    )
    | CONDITION,
    "option": frozenset({"value", "label", "written"}) | CONDITION,
    "default": frozenset({"value"}) | CONDITION,
    "help": frozenset[str](),
}
_CHILDREN: Final = {
    "group": frozenset({"help", "setting"}),
    "setting": frozenset({"help", "option", "default"}),
    "option": frozenset[str](),
    "default": frozenset[str](),
    "help": frozenset[str](),
}
_ONLY_FOR: Final = {"min": "integer", "max": "integer", "max-length": "string", "pattern": "string"} | {
    "true": "boolean",
    "false": "boolean",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """For which models an element stands: regular expressions matched against each of a model's defines."""

    wanted: re.Pattern[str] | None = None
    unwanted: re.Pattern[str] | None = None

    def holds(self, defines: frozenset[str]) -> bool:
        """Whether a model with these defines (its name and its features) keeps the element."""
        if self.unwanted is not None and any(map(self.unwanted.fullmatch, defines)):
            return False
        return self.wanted is None or any(map(self.wanted.fullmatch, defines))


@dataclass(frozen=True, slots=True)
class OptionDefinition:
    """`<option>`: one choice of an enum."""

    option: Option
    condition: Condition


@dataclass(frozen=True, slots=True)
class DefaultDefinition:
    """`<default>`: the default where its condition holds; the first that holds wins."""

    text: str
    condition: Condition
    line: int


@dataclass(frozen=True, slots=True)
class SettingDefinition:
    """`<setting>`, with its conditions."""

    name: str
    type: SettingType
    label: str
    help: str
    advanced: bool
    parameter: str | None
    minimum: int | None
    maximum: int | None
    max_length: int
    pattern: re.Pattern[str] | None
    written_true: str
    written_false: str
    options: tuple[OptionDefinition, ...]
    defaults: tuple[DefaultDefinition, ...]
    condition: Condition
    line: int


@dataclass(frozen=True, slots=True)
class GroupDefinition:
    """`<group>`, with its conditions."""

    name: str
    label: str
    help: str
    repeat: str | None
    """Which of a model's `repeats` says how often the group exists; None: once, without an index."""
    settings: tuple[SettingDefinition, ...]
    condition: Condition
    line: int


def parse_settings(data: bytes, file: str, common: Element | None = None) -> tuple[GroupDefinition, ...]:
    """The groups of a settings.xml.

    Args:
        data: the document.
        file: its name inside the catalogue, for problems.
        common: what a document that says `extends="common"` takes over.

    Raises:
        PluginProblems: naming every place that does not follow the grammar.
    """
    root = parse_xml(data, file)
    reader = _Reader(file)
    groups = reader.settings(root, common)
    if reader.problems:
        raise PluginProblems(tuple(sorted(reader.problems)))
    return groups


def parse_value(type_: SettingType, text: str) -> Value | None:
    """A default written in XML as a value of the type; None when it is none (enum and string: any text)."""
    match type_:
        case "boolean":
            return {"true": True, "false": False}.get(text)
        case "integer":
            return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else None
        case "string" | "enum":
            return text


class _Reader:
    """Walks the elements and collects problems instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file

    def settings(self, root: Element, common: Element | None) -> tuple[GroupDefinition, ...]:
        if root.tag != "settings":
            self._problem(root, f"the root element must be <settings>, not <{root.tag}>")
            return ()
        extends = root.attributes.get("extends")
        if extends is not None and (extends != "common" or common is None):
            self._problem(root, f"there are no settings {extends!r} to extend; there are those of 'common'")
        root = expanded(root, common if extends == "common" else None, self._problem)
        for name in root.attributes:
            self._problem(root, f"<settings> has no attribute {name!r}")
        groups: list[GroupDefinition] = []
        for child in root.children:
            if child.tag == "group":
                groups.append(self._group(child))
            else:
                self._problem(child, f"<{child.tag}> is not known inside <settings>")
        if not root.children:
            self._problem(root, "there is no <group>")
        self._unique(root, groups)
        return tuple(groups)

    def _group(self, element: Element) -> GroupDefinition:
        self._shape(element)
        settings = [self._setting(child) for child in element.children if child.tag == "setting"]
        if not settings:
            self._problem(element, "the group has no <setting>")
        self._unique(element, settings)
        repeat = element.attributes.get("repeat")
        if repeat is not None and not NAME.fullmatch(repeat):
            self._problem(element, f"repeat {repeat!r} is not a name")
        for setting in settings:
            if setting.parameter and "{index}" in setting.parameter and repeat is None:
                self._problem_at(setting.line, "{index} in a parameter needs a group with repeat")
        return GroupDefinition(
            name=self._name(element),
            label=self._required(element, "label"),
            help=self._help(element),
            repeat=repeat,
            settings=tuple(settings),
            condition=self._condition(element),
            line=element.line,
        )

    def _setting(self, element: Element) -> SettingDefinition:
        self._shape(element)
        attributes = element.attributes
        type_ = self._required(element, "type")
        if type_ not in get_args(SettingType):
            if "type" in attributes:
                self._problem(element, f"type {type_!r} is none of {', '.join(get_args(SettingType))}")
            type_ = "string"
        for attribute, wanted in _ONLY_FOR.items():
            if attribute in attributes and type_ != wanted:
                self._problem(element, f"{attribute} is only for type {wanted}")
        parameter = attributes.get("parameter")
        if parameter is not None and not PARAMETER.fullmatch(parameter):
            self._problem(element, f"parameter {parameter!r} is no parameter name")
        advanced = attributes.get("advanced", "no")
        if advanced not in ("yes", "no"):
            self._problem(element, "advanced must be yes or no")
        options = tuple(self._options(element, type_))
        defaults = tuple(self._defaults(element))
        if not any(default.condition == Condition() for default in defaults):
            self._problem(element, "a default for every model is missing")
        minimum, maximum = self._integer(element, "min"), self._integer(element, "max")
        if minimum is not None and maximum is not None and minimum > maximum:
            self._problem(element, "min is greater than max")
        return SettingDefinition(
            name=self._name(element),
            type=cast("SettingType", type_),
            label=self._required(element, "label"),
            help=self._help(element),
            advanced=advanced == "yes",
            parameter=parameter,
            minimum=minimum,
            maximum=maximum,
            max_length=self._integer(element, "max-length") or 255,
            pattern=self._pattern(element, "pattern"),
            written_true=attributes.get("true", "1"),
            written_false=attributes.get("false", "0"),
            options=options,
            defaults=defaults,
            condition=self._condition(element),
            line=element.line,
        )

    def _options(self, element: Element, type_: str) -> Iterator[OptionDefinition]:
        found = [child for child in element.children if child.tag == "option"]
        if bool(found) != (type_ == "enum"):
            self._problem(element, "an enum, and nothing else, has <option> elements")
        for child in found:
            self._shape(child)
            value = self._required(child, "value")
            written = child.attributes.get("written", value)
            option = Option(value, child.attributes.get("label", value), written)
            yield OptionDefinition(option, self._condition(child))

    def _defaults(self, element: Element) -> Iterator[DefaultDefinition]:
        for child in element.children:
            if child.tag == "default":
                self._shape(child)
                condition = self._condition(child)
                if condition == Condition() and not CONDITION & child.attributes.keys():
                    self._problem(child, "<default> needs if or unless; the default for all is an attribute")
                yield DefaultDefinition(self._required(child, "value"), condition, child.line)
        if "default" in element.attributes:
            yield DefaultDefinition(element.attributes["default"], Condition(), element.line)

    def _shape(self, element: Element) -> None:
        for name in element.attributes.keys() - _ATTRIBUTES[element.tag]:
            self._problem(element, f"<{element.tag}> has no attribute {name!r}")
        for child in element.children:
            if child.tag not in _CHILDREN[element.tag]:
                self._problem(child, f"<{child.tag}> is not known inside <{element.tag}>")
        if element.tag != "help" and element.text.strip():
            self._problem(element, f"<{element.tag}> holds no text")
        for name, value in element.attributes.items():
            if not value.isprintable():
                self._problem(element, f"{name} holds a character that cannot be printed")

    def _help(self, element: Element) -> str:
        found = [child for child in element.children if child.tag == "help"]
        for child in found:
            self._shape(child)
        for child in found[1:]:
            self._problem(child, "a second <help>")
        return " ".join(found[0].text.split()) if found else ""

    def _condition(self, element: Element) -> Condition:
        return Condition(self._pattern(element, "if"), self._pattern(element, "unless"))

    def _pattern(self, element: Element, attribute: str) -> re.Pattern[str] | None:
        text = element.attributes.get(attribute)
        if text is None:
            return None
        try:
            return compile_pattern(text, limit=MAX_PATTERN)
        except PatternRefused as error:
            self._problem(element, f"{attribute} {error}")
            return None

    def _integer(self, element: Element, attribute: str) -> int | None:
        text = element.attributes.get(attribute)
        if text is None:
            return None
        value = parse_value("integer", text)
        if not isinstance(value, int):
            self._problem(element, f"{attribute} must be a whole number")
            return None
        return value

    def _name(self, element: Element) -> str:
        name = self._required(element, "name")
        if name and not NAME.fullmatch(name):
            self._problem(element, f"name {name!r} must be lower-case letters, digits and _, a letter first")
        return name

    def _required(self, element: Element, attribute: str) -> str:
        value = element.attributes.get(attribute)
        if value is None:
            self._problem(element, f"<{element.tag}> needs the attribute {attribute!r}")
            return ""
        return value

    def _unique(self, parent: Element, found: list[GroupDefinition] | list[SettingDefinition]) -> None:
        seen: set[str] = set()
        for definition in found:
            if definition.name in seen:
                self._problem_at(definition.line, f"the name {definition.name!r} is used twice in <{parent.tag}>")
            seen.add(definition.name)

    def _problem(self, element: Element, text: str) -> None:
        self._problem_at(element.line, text)

    def _problem_at(self, line: int, text: str) -> None:
        self.problems.append(Problem(self._file, line, text))
