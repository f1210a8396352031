"""Setting models of sipXcom's plug-ins (phone.xml, line.xml, .properties), read as those of our own.

`if` and `unless` mean the same there and here. Nested groups become one name with points; a line's settings are
written once for each account, so their parameter begins with `{account}/`. An element copied by `copy-of` has what
the original has, but for its conditions. What an external entity names is only ever looked for in the folder itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from contract.devices.folder import Folder
from contract.devices.grammar import Condition, DefaultDefinition, GroupDefinition, OptionDefinition, SettingDefinition
from contract.devices.inheritance import CONDITION
from contract.devices.model import Option, SettingType
from contract.devices.patterns import PatternRefused, compile_pattern
from contract.devices.problems import PluginProblems, Problem
from contract.devices.xml_tree import Element, parse_xml

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PARAMETER = re.compile(r"[!-~]{1,128}")
_PROPERTY = re.compile(r"\s*([^#!\s=:]+)\s*[=:]\s*(.*)")
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_TEXT_TYPES: Final = frozenset(
    {"string", "real", "ipaddr", "ipaddrwildcard", "hostname", "bitmap", "multi-enum", "file", "sip-uri"}
    | {"phonepadpin", "username_sequence"}
)


def parse_sipxcom(vendor: str, folder: Folder, phone: str, line: str | None) -> tuple[GroupDefinition, ...]:
    """The groups of a phone's model and of its line's.

    Args:
        vendor: for problems.
        folder: everything of the plug-in.
        phone: the name of the phone's setting model.
        line: that of the line's; None: there is none.

    Raises:
        PluginProblems: naming every place that cannot be read, by file and line.
    """
    labels = _properties(folder)
    groups: list[GroupDefinition] = []
    problems: list[Problem] = []
    for name, prefix in ((phone, ""), (line, "{account}/")):
        if name is None:
            continue
        file = f"{vendor}/{name}"
        if name not in folder:
            problems.append(Problem(file, 0, "the file cannot be read"))
            continue
        try:
            root = parse_xml(folder[name], file, folder)
        except PluginProblems as error:
            problems += error.problems
            continue
        reader = _Reader(file, labels, prefix)
        groups += reader.groups(root)
        problems += reader.problems
    seen = {group.name for group in groups}
    if not problems and len(seen) < len(groups):  # a phone's and a line's group of one name: both are kept
        groups = [group if number == _first(groups, group) else _renamed(group) for number, group in enumerate(groups)]
    if problems:
        raise PluginProblems(tuple(sorted(set(problems))))
    return tuple(groups)


def _first(groups: list[GroupDefinition], wanted: GroupDefinition) -> int:
    return next(number for number, group in enumerate(groups) if group.name == wanted.name)


def _renamed(group: GroupDefinition) -> GroupDefinition:
    return replace(group, name=f"line.{group.name}")


def _properties(folder: Folder) -> dict[str, str]:
    """Labels and descriptions, from every .properties file that is of no language."""
    found: dict[str, str] = {}
    for path, data in folder.items():
        if path.endswith(".properties") and not re.search(r"_[a-z]{2}(?:_[A-Z]{2})?\.properties$", path):
            for text in data.decode("latin-1").splitlines():
                if match := _PROPERTY.fullmatch(text):
                    found[match[1]] = " ".join(match[2].split())[:255]
    return found


@dataclass(frozen=True, slots=True)
class _Type:
    type: SettingType = "string"
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 255
    pattern: re.Pattern[str] | None = None
    written_true: str = "1"
    written_false: str = "0"
    options: tuple[OptionDefinition, ...] = ()


class _Reader:
    """Walks one model and collects problems instead of stopping at the first."""

    def __init__(self, file: str, labels: Mapping[str, str], prefix: str) -> None:
        self.problems: list[Problem] = []
        self._file, self._labels, self._prefix = file, labels, prefix
        self._types: dict[str, Element] = {}
        self._seen: dict[str, Element] = {}

    def groups(self, root: Element) -> list[GroupDefinition]:
        """Every group that has settings of its own."""
        if root.tag != "model":
            self._problem(root, f"the root element must be <model>, not <{root.tag}>")
            return []
        for child in root.children:
            if child.tag == "type":
                self._types[child.attributes.get("id", "")] = child
        return [group for child in root.children if child.tag == "group" for group in self._group(child, "", ())]

    def _group(self, element: Element, above: str, conditions: tuple[Condition, ...]) -> Iterator[GroupDefinition]:
        name = self._name(element)
        element = self._copied(element, name)
        path = f"{above}.{name}" if above else name
        here = (*conditions, self._condition(element))
        settings = [self._setting(child, path) for child in element.children if child.tag == "setting"]
        if settings:
            yield GroupDefinition(
                name=path,
                label=self._labels.get(f"{path}.label", path),
                help=self._labels.get(f"{path}.description", ""),
                repeat=None,
                settings=tuple(settings),
                condition=self._all(element, here),
                line=element.line,
            )
        for child in element.children:
            if child.tag == "group":
                yield from self._group(child, path, here)
            elif child.tag == "collection":
                self._problem(child, "<collection> is not taken")

    def _all(self, element: Element, conditions: tuple[Condition, ...]) -> Condition:
        """The conditions of a group and of those around it; one of each kind is what a definition can hold."""
        wanted = [one.wanted for one in conditions if one.wanted is not None]
        unwanted = [one.unwanted for one in conditions if one.unwanted is not None]
        if len(wanted) > 1:
            self._problem(element, "a group with `if` inside another with `if` is not taken")
        every = "|".join(f"(?:{pattern.pattern})" for pattern in unwanted)
        return Condition(wanted[0] if wanted else None, re.compile(every) if every else None)

    def _setting(self, element: Element, group: str) -> SettingDefinition:
        name = self._name(element)
        element = self._copied(element, f"{group}/{name}")
        parameter = self._text(element, "profileName") or name
        if not _PARAMETER.fullmatch(parameter) or set(parameter) & set("{}"):
            self._problem(element, f"the profileName {parameter[:40]!r} is not taken")
        type_ = self._type(element)
        value = self._text(element, "value") or ""
        if type_.type == "boolean":
            value = "true" if value in (type_.written_true, "true") else "false"
        elif type_.type == "integer" and not _INTEGER.fullmatch(value):
            value = str(type_.minimum or 0)
        elif type_.type == "enum" and value not in [each.option.value for each in type_.options] and type_.options:
            value = type_.options[0].option.value
        key = f"{group}.{name}"
        return SettingDefinition(
            name=name,
            type=type_.type,
            label=self._labels.get(f"{key}.label") or self._text(element, "label") or name,
            help=self._labels.get(f"{key}.description") or self._text(element, "description") or "",
            advanced=element.attributes.get("advanced") == "yes" or element.attributes.get("hidden") == "yes",
            parameter=f"{self._prefix}{parameter}",
            minimum=type_.minimum,
            maximum=type_.maximum,
            max_length=type_.max_length,
            pattern=type_.pattern,
            written_true=type_.written_true,
            written_false=type_.written_false,
            options=type_.options,
            defaults=(DefaultDefinition(value, Condition(), element.line),),
            condition=self._condition(element),
            line=element.line,
        )

    def _type(self, element: Element) -> _Type:
        outer = next((child for child in element.children if child.tag == "type"), None)
        if outer is not None and "refid" in outer.attributes:
            if (shared := self._types.get(outer.attributes["refid"])) is None:
                self._problem(outer, f"there is no <type> with the id {outer.attributes['refid']!r}")
            outer = shared
        inner = next(iter(outer.children), None) if outer is not None else None
        if inner is None or inner.tag in _TEXT_TYPES:
            return self._string(inner)
        match inner.tag:
            case "integer":
                return _Type("integer", self._number(inner, "min"), self._number(inner, "max"))
            case "boolean":
                said = {child.tag: self._text(child, "value") for child in inner.children}
                return _Type("boolean", written_true=said.get("true") or "1", written_false=said.get("false") or "0")
            case "enum":
                values = [(self._text(one, "value") or "", self._text(one, "label")) for one in inner.children]
                options = (
                    OptionDefinition(Option(value, label or value, value), Condition()) for value, label in values
                )
                return _Type("enum", options=tuple(options))
        self._problem(inner, f"<{inner.tag}> is no type that is known here")
        return _Type()

    def _string(self, inner: Element | None) -> _Type:
        if inner is None:
            return _Type()
        pattern = None
        if text := self._text(inner, "pattern"):
            try:
                pattern = compile_pattern(text)
            except PatternRefused as error:
                self._problem(inner, f"pattern {error}")
        return _Type(max_length=min(self._number(inner, "maxLen") or 255, 1024), pattern=pattern)

    def _copied(self, element: Element, name: str) -> Element:
        """The element with what it copies; an original counts whether or not its condition holds."""
        wanted = element.attributes.get("copy-of")
        if wanted is not None:
            key = f"{name.rpartition('/')[0]}/{wanted}" if "/" in name else wanted
            if (origin := self._seen.get(key)) is None:
                self._problem(element, f"copy-of: there is no {wanted!r} before it")
            else:
                own = {(child.tag, child.attributes.get("name")) for child in element.children}
                kept = [child for child in origin.children if (child.tag, child.attributes.get("name")) not in own]
                attributes = {key: value for key, value in origin.attributes.items() if key not in CONDITION}
                element = Element(
                    element.tag, attributes | element.attributes, element.line, [*kept, *element.children]
                )
        self._seen[name] = element
        return element

    def _condition(self, element: Element) -> Condition:
        found: dict[str, re.Pattern[str] | None] = {"if": None, "unless": None}
        for attribute in found:
            if (text := element.attributes.get(attribute)) is not None:
                try:
                    found[attribute] = compile_pattern(text)
                except PatternRefused as error:
                    self._problem(element, f"{attribute} {error}")
        return Condition(found["if"], found["unless"])

    def _name(self, element: Element) -> str:
        name = element.attributes.get("name", "")
        if not _NAME.fullmatch(name):
            self._problem(element, f"<{element.tag}> needs a name of letters, digits, _, - and .")
        return name

    def _number(self, element: Element, attribute: str) -> int | None:
        text = element.attributes.get(attribute)
        return int(text) if text is not None and _INTEGER.fullmatch(text) else None

    @staticmethod
    def _text(element: Element, tag: str) -> str | None:
        return next((" ".join(child.text.split()) for child in element.children if child.tag == tag), None)

    def _problem(self, element: Element, text: str) -> None:
        self.problems.append(Problem(self._file, element.line, text))
