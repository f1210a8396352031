"""Readers of the file formats of phones, written without a look at the templates: what a phone would make of a file.

Each gives key → value; a file that its vendor's phone could not read is an AssertionError.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

Reader = Callable[[str], dict[str, str]]


def read(vendor: str, syntax: str, body: bytes) -> dict[str, str]:
    """What a phone of that vendor reads of a file."""
    text = body.decode()
    assert "\r" not in text
    return xml_values(text) if syntax == "xml" else READERS.get(vendor, equals_values)(text)


def xml_values(text: str) -> dict[str, str]:
    """Every text and attribute by its place: tags, each with its number among those of its name."""
    found: dict[str, str] = {}

    def walk(element: ET.Element, place: str) -> None:
        found[place] = (element.text or "").strip()
        for name, value in element.attrib.items():
            found[f"{place}@{name}"] = value
        numbers: Counter[str] = Counter()
        for child in element:
            numbers[child.tag] += 1
            assert not (child.tail or "").strip(), "text between elements"
            walk(child, f"{place}/{child.tag}[{numbers[child.tag]}]")

    root = ET.fromstring(text)
    walk(root, root.tag)
    return found


def equals_values(text: str) -> dict[str, str]:
    """`key = value` lines; comments begin with `#`."""
    return _pairs(text, re.compile(r"([^=\s]+)\s*=\s*(.*)"), comment=("#", "include:"))


def colon_values(text: str) -> dict[str, str]:
    """Mitel's `key: value` lines; a `#` that is not quoted begins a comment wherever it stands."""
    found = _pairs(text, re.compile(r"([a-z][a-z0-9 ]*?)\s*:\s*(.*)"), comment=("#",))
    for value in found.values():
        assert "#" not in value, "the phone would read the rest as a comment"
    return found


def quoted_values(text: str) -> dict[str, str]:
    """Panasonic's `KEY="value"` lines below the fixed first line."""
    first, _, rest = text.partition("\n")
    assert first.startswith("# Panasonic SIP Phone Standard Format File #")
    found = _pairs(rest, re.compile(r'([A-Z0-9_]+)="([^"]*)"'), comment=("#",))
    assert all(len(key) <= 32 for key in found)
    return found


def set_values(text: str) -> dict[str, str]:
    """Avaya's `SET KEY value` lines; a value with spaces stands in quotes."""
    found = _pairs(text, re.compile(r'SET ([A-Z0-9_]+) ("[^"]*"|[^\s"]+)'), comment=("##", "GET "))
    return {key: value.strip('"') for key, value in found.items()}


def command_values(text: str) -> dict[str, str]:
    """Patton's command lines: each word after a command's first is a value, by its block, command and place."""
    found: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    block = ""
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = re.findall(r'"[^"]*"|[^\s"]+', line)
        assert " ".join(words) == line.strip(), line
        if not line.startswith(" "):
            block = line.strip()
        numbers[command := f"{block.split()[0]}/{words[0]}"] += 1
        for place, word in enumerate(words[1:], 1):
            found[f"{command}[{numbers[command]}].{place}"] = word.strip('"')
    return found


def ini_values(text: str) -> dict[str, str]:
    """AudioCodes' gateways: `key = value` in sections, and tables whose rows are `Name number = value, value;`."""
    found: dict[str, str] = {}
    section, columns = "", list[str]()
    for line in text.split("\n"):
        line = line.strip()
        if not line or line.startswith(";"):
            continue
        if header := re.fullmatch(r"\[ ?(\\?)(\w+(?: \w+)?) ?\]", line):
            section, columns = ("" if header[1] else header[2]), []
            continue
        if format_ := re.fullmatch(r"FORMAT \w+_Index = (.+);", line):
            columns = [column.strip() for column in format_[1].split(",")]
            continue
        key, equals, value = line.partition(" = ")
        assert equals or line.endswith(" ="), line
        if not columns:
            assert key not in found, f"{key} stands there twice"
            found[key] = value.strip().strip("'")
            continue
        assert value.endswith(";"), line
        cells = [cell.strip().strip("'") for cell in re.findall(r"'[^']*'|[^,]+", value[:-1]) if cell.strip()]
        assert len(cells) == len(columns), line
        assert key.startswith(f"{section} "), line
        found |= {f"{key}.{column}": cell for column, cell in zip(columns, cells, strict=True)}
    return found


def audiocodes_values(text: str) -> dict[str, str]:
    """Gateways read one format, telephones the other."""
    return ini_values(text) if text.startswith(";") else equals_values(text)


READERS: Final[Mapping[str, Reader]] = {
    "mitel": colon_values,
    "audiocodes": audiocodes_values,
    "panasonic": quoted_values,
    "avaya": set_values,
    "patton": command_values,
}
"""Those whose text is not `key = value`."""


def _pairs(text: str, line_form: re.Pattern[str], comment: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip() or line.startswith(comment):
            continue
        match = line_form.fullmatch(line)
        assert match, line
        assert match[1] not in found, f"{match[1]} stands there twice"
        found[match[1]] = match[2].strip()
    return found
