"""XML read safely, every element with its line.

Neighbours may rely on: no document type, no entity beyond the five of XML itself, nothing outside the text is ever
read, and size, depth and number of elements are bounded. Only for a plug-in of sipXcom's a document type may declare
external entities, each a file of that plug-in's own folder; declared texts, which could grow, are refused there too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from contract.devices.problems import PluginProblems, Problem

MAX_BYTES: Final = 1 << 20
MAX_ELEMENTS: Final = 20_000
MAX_DEPTH: Final = 16
MAX_INCLUDES: Final = 8


@dataclass(slots=True)
class Element:
    """One element: its tag, attributes, children and text."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    text: str = ""


class _Refused(Exception):
    """Something in the document that is not accepted."""


class _Builder:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        """What reads at the moment: of the document, or of a file that it includes."""
        self._open: list[Element] = []
        self._count = 0
        self.root: Element | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise _Refused(f"more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(f"elements nested deeper than {MAX_DEPTH}")
        element = Element(tag, attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def doctype(self, *_: object) -> None:
        raise _Refused("a document type declaration is not accepted")

    def entity(self, *_: object) -> None:
        raise _Refused("an entity declaration is not accepted")


class _Includes:
    """External entities, found in a folder and nowhere else."""

    def __init__(self, builder: _Builder, folder: Mapping[str, bytes]) -> None:
        self._builder, self._folder = builder, folder
        self._left = MAX_INCLUDES

    def declared(
        self, name: str, parameter: int, value: str | None, base: object, system: str | None, *_: object
    ) -> None:
        del base
        if parameter or value is not None or system is None or system not in self._folder:
            raise _Refused(f"the entity {name!r} is not a file of the folder")

    def included(self, context: str, base: object, system: str | None, public: object) -> int:
        del base, public
        self._left -= 1
        if self._left < 0 or system is None or system not in self._folder:
            raise _Refused(f"more than {MAX_INCLUDES} files are included, or one that is not there")
        outer = self._builder.parser
        self._builder.parser = outer.ExternalEntityParserCreate(context)
        self._builder.parser.Parse(self._folder[system][:MAX_BYTES], True)
        self._builder.parser = outer
        return 1


def parse_xml(data: bytes, file: str, folder: Mapping[str, bytes] | None = None) -> Element:
    """The root element of a document.

    Args:
        data: the document, UTF-8 whatever it declares.
        file: its name, for problems.
        folder: what its external entities may name; None: a document type is not accepted.

    Raises:
        PluginProblems: not well-formed, too large, or with a document type.
    """
    if len(data) > MAX_BYTES:
        raise PluginProblems((Problem(file, 0, f"larger than {MAX_BYTES} bytes"),))
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    builder = _Builder(parser)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    if folder is None:
        parser.StartDoctypeDeclHandler = builder.doctype
        parser.EntityDeclHandler = builder.entity
    else:
        includes = _Includes(builder, folder)
        parser.EntityDeclHandler = includes.declared
        parser.ExternalEntityRefHandler = includes.included
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise PluginProblems((Problem(file, error.lineno, expat.ErrorString(error.code)),)) from None
    except _Refused as error:
        raise PluginProblems((Problem(file, parser.CurrentLineNumber, str(error)),)) from None
    if builder.root is None:
        raise PluginProblems((Problem(file, 1, "no element found"),))
    return builder.root
