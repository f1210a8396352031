"""The grammar of a plug-in's plugin.toml (docs/devices.md): what its phones are, which files they ask for."""

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from contract.devices.model import Scope, Syntax
from contract.devices.problems import PluginProblems, Problem
from contract.values import Frozen, Text

MAX_BYTES: Final = 256 * 1024

_Name = Annotated[str, Field(pattern=r"^[0-9a-z_.-]{1,32}$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=300)]
_FileName = Annotated[str, Field(pattern=r"^(?:[0-9A-Za-z_.-]|\{(?:[a-z_]+|MAC)\}){1,128}$")]
_Event = Annotated[str, Field(pattern=r"^[0-9a-z.-]{1,64}(?:;[0-9a-z-]{1,32}=[0-9a-z-]{1,32})*$")]


class ModelDescription(Frozen):
    """`[models.<name>]`."""

    label: Text
    lines: Annotated[int, Field(ge=1, le=64)]
    features: Annotated[tuple[_Name, ...], Field(max_length=64)] = ()
    repeats: Annotated[dict[_Name, Annotated[int, Field(ge=0, le=400)]], Field(max_length=16)] = {}
    variables: Annotated[dict[_Name, Text], Field(max_length=32)] = {}


class FileDescription(Frozen):
    """`[[files]]`: one file that phones of this vendor ask for."""

    name: _FileName
    template: _FileName
    content_type: Text = "text/plain; charset=utf-8"
    syntax: Syntax = "text"
    scope: Scope
    optional: bool = False
    """True: a model without the variables that the name needs has no such file."""


class Description(Frozen):
    """A whole plugin.toml."""

    label: Text
    ouis: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{6}$")], ...], Field(max_length=500)] = ()
    user_agents: Annotated[tuple[_Pattern, ...], Field(max_length=50)] = ()
    file_names: Annotated[tuple[_Pattern, ...], Field(max_length=50)] = ()
    dhcp_vendor_classes: Annotated[tuple[_Pattern, ...], Field(max_length=50)] = ()
    resync_event: _Event | None = None
    reboot_event: _Event | None = None
    refused_values: _Pattern | None = None
    unwritable: Annotated[str, Field(max_length=64, pattern=r"^[\x20-\x7e]*$")] = ""
    files: Annotated[tuple[FileDescription, ...], Field(min_length=1, max_length=50)]
    models: Annotated[dict[_Name, ModelDescription], Field(min_length=1, max_length=200)]


def parse_description(data: bytes, file: str) -> Description:
    """What a plugin.toml says.

    Raises:
        PluginProblems: naming every place that does not follow the grammar.
    """
    if len(data) > MAX_BYTES:
        raise PluginProblems((Problem(file, 0, f"larger than {MAX_BYTES} bytes"),))
    try:
        text = data.decode()
        content: dict[str, Any] = tomllib.loads(text)
    except UnicodeDecodeError:
        raise PluginProblems((Problem(file, 0, "not UTF-8"),)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise PluginProblems((Problem(file, int(found[1]) if found else 0, str(error)),)) from None
    lines = _lines(text)
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        problems = tuple(
            Problem(file, _line_of(each["loc"], lines), f"{'.'.join(map(str, each['loc']))}: {each['msg']}")
            for each in error.errors(include_input=False, include_url=False)
        )
        raise PluginProblems(tuple(sorted(problems))) from None


def compiled(patterns: Mapping[str, tuple[str, ...]], data: bytes, file: str) -> dict[str, tuple[re.Pattern[str], ...]]:
    """Regular expressions by the key that holds them.

    Raises:
        PluginProblems: naming each that is none.
    """
    lines, problems, found = _lines(data.decode()), [], {}
    for key, texts in patterns.items():
        good: list[re.Pattern[str]] = []
        for text in texts:
            try:
                good.append(re.compile(text, re.IGNORECASE))
            except (re.error, OverflowError, RecursionError) as error:
                problems.append(Problem(file, _line_of((key,), lines), f"{key}: no regular expression: {error}"))
        found[key] = tuple(good)
    if problems:
        raise PluginProblems(tuple(problems))
    return found


_Place = tuple[int | str, ...]
_TABLE = re.compile(r"\s*\[(\[?)\s*([\w.\" -]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w-]+|\"[^\"]*\")\s*=")


def _lines(text: str) -> dict[_Place, int]:
    """On which line each table and key begins."""
    found: dict[_Place, int] = {}
    table: _Place = ()
    counts: dict[_Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.fullmatch(line):
            table = tuple(part.strip(' "') for part in header[2].split("."))
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1].strip('"')), number)
    return found


def _line_of(place: _Place, lines: Mapping[_Place, int]) -> int:
    """The line of a place, or of the nearest thing around it."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return 1
