"""The grammar of a plug-in's plugin.toml (docs/devices.md): what its phones are, which files they ask for."""

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from contract.devices.model import FirmwareForm, Scope, Syntax
from contract.devices.patterns import PatternRefused, compile_pattern
from contract.devices.problems import PluginProblems, Problem
from contract.values import Frozen, Text

MAX_BYTES: Final = 256 * 1024
MAX_LIKE: Final = 8
"""How many models may be like another in a row."""

_Name = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,32}$")]
_ModelName = Annotated[str, Field(pattern=r"^[0-9a-z_.-]{1,32}$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=300)]
_FileName = Annotated[str, Field(pattern=r"^(?:[0-9A-Za-z_.-]|\{(?:[a-z_]+|MAC)\}){1,128}$")]
_Event = Annotated[str, Field(pattern=r"^[0-9a-z.-]{1,64}(?:;[0-9a-z-]{1,32}=[0-9a-z-]{1,32})*$")]
_Patterns = Annotated[tuple[_Pattern, ...], Field(max_length=50)]
VendorOptions = Annotated[
    dict[Annotated[str, Field(pattern=r"^(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-4])$")], Text],
    Field(max_length=16),
]


class VersionDescription(Frozen):
    """`[versions.<name>]`: a firmware version that some settings or files depend on; the newest stands last."""

    label: Text
    features: Annotated[tuple[_Name, ...], Field(max_length=64)] = ()
    firmware: _Pattern | None = None
    """What a phone of this version says its firmware is."""


class ModelDescription(Frozen):
    """`[models.<name>]`; `like = "<another>"` takes over what is not said here."""

    label: Text
    lines: Annotated[int, Field(ge=1, le=256)]
    features: Annotated[tuple[_Name, ...], Field(max_length=64)] = ()
    repeats: Annotated[dict[_Name, Annotated[int, Field(ge=0, le=400)]], Field(max_length=16)] = {}
    variables: Annotated[dict[_Name, Text], Field(max_length=32)] = {}
    versions: Annotated[tuple[_Name, ...], Field(max_length=32)] | None = None
    """Which of the vendor's versions it has; absent: all."""
    https: bool | None = None
    """Whether it fetches by HTTPS; absent: as the vendor's phones do."""
    firmware: FirmwareForm | None = None
    """How its files name firmware; absent: as the vendor's phones' do."""
    resync_event: _Event | None = None
    reboot_event: _Event | None = None
    """By which NOTIFY it fetches and starts again; absent: as the vendor's phones do."""


class FileDescription(Frozen):
    """`[[files]]`: one file that phones of this vendor ask for."""

    name: _FileName
    template: _FileName
    content_type: Text = "text/plain; charset=utf-8"
    syntax: Syntax = "text"
    scope: Scope
    optional: bool = False
    """True: a model without the variables that the name needs has no such file."""
    condition: Annotated[_Pattern | None, Field(alias="if")] = None
    """Only models whose name, a feature or a version it matches have the file."""


class SipxcomDescription(Frozen):
    """`[sipxcom]`: the folder is one of sipXcom's, and these are its setting models."""

    phone: _FileName = "phone.xml"
    line: _FileName | None = None


class Description(Frozen):
    """A whole plugin.toml."""

    label: Text
    ouis: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{6}$")], ...], Field(max_length=500)] = ()
    user_agents: _Patterns = ()
    file_names: _Patterns = ()
    dhcp_vendor_classes: _Patterns = ()
    dhcp_options: Annotated[tuple[Annotated[int, Field(ge=1, le=254)], ...], Field(max_length=16)] = ()
    """By which DHCP options its phones take a server, the first before the others."""
    dhcp_option_43: Annotated[Text, Field(min_length=1)] | VendorOptions | None = None
    """What its phones take inside DHCP option 43: a text, or texts by the number of their sub-option. `{url}` stands
    for where phones fetch, `{host}` for the edge, `{vlan}` for the voice VLAN."""
    https: bool = False
    certificate_names: _Patterns = ()
    """The common name of the certificate that its phones are made with, with the group `mac`."""
    firmware: FirmwareForm = "file"
    """How its phones' files name firmware: the address of a `file`, the address of a `folder` in which the phone looks
    for a name of its own, the `name` of a file, or the name of a `load`; the last two are asked for where the
    configuration is."""
    redirect_service: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")] | None = None
    resync_event: _Event | None = None
    reboot_event: _Event | None = None
    refused_values: _Pattern | None = None
    unwritable: Annotated[str, Field(max_length=64, pattern=r"^[\x20-\x7e]*$")] = ""
    plug_and_play: Literal["folder", "file"] = "folder"
    """What its phones are told by SIP plug and play: where all files are, or their own file."""
    files: Annotated[tuple[FileDescription, ...], Field(min_length=1, max_length=50)]
    versions: Annotated[dict[_Name, VersionDescription], Field(max_length=32)] = {}
    models: Annotated[dict[_ModelName, ModelDescription], Field(min_length=1, max_length=200)]
    sipxcom: SipxcomDescription | None = None


class Lines:
    """On which line of a TOML text each table and key begins."""

    def __init__(self, data: bytes) -> None:
        self._found = _lines(data.decode(errors="replace"))

    def of(self, *place: int | str) -> int:
        """The line of a place, or of the nearest thing around it."""
        while place:
            if place in self._found:
                return self._found[place]
            place = place[:-1]
        return 1


def parse_description(data: bytes, file: str) -> Description:
    """What a plugin.toml says.

    Raises:
        PluginProblems: naming every place that does not follow the grammar.
    """
    content = parse_toml(data, file)
    lines = Lines(data)
    problems: list[Problem] = []
    models = content.get("models")
    if isinstance(models, dict) and all(isinstance(model, dict) for model in models.values()):
        content["models"] = {name: _like(models, name, file, lines, problems) for name in models}
    try:
        description = Description.model_validate(content)
    except ValidationError as error:
        problems += [
            Problem(file, lines.of(*each["loc"]), f"{'.'.join(map(str, each['loc']))}: {each['msg']}")
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise PluginProblems(tuple(sorted(set(problems)))) from None
    for name, model in description.models.items():
        for version in model.versions or ():
            if version not in description.versions:
                line = lines.of("models", name, "versions")
                problems.append(Problem(file, line, f"models.{name}.versions: there is no version {version!r}"))
    if problems:
        raise PluginProblems(tuple(sorted(set(problems))))
    return description


def parse_toml(data: bytes, file: str) -> dict[str, Any]:
    """A TOML document.

    Raises:
        PluginProblems: it is none, or too large.
    """
    if len(data) > MAX_BYTES:
        raise PluginProblems((Problem(file, 0, f"larger than {MAX_BYTES} bytes"),))
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise PluginProblems((Problem(file, 0, "not UTF-8"),)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise PluginProblems((Problem(file, int(found[1]) if found else 0, str(error)),)) from None


def compiled(
    patterns: Mapping[str, tuple[str, ...]], lines: Lines, file: str, problems: list[Problem]
) -> dict[str, tuple[re.Pattern[str], ...]]:
    """Regular expressions by the key that holds them; a problem for each that is none."""
    found = {}
    for key, texts in patterns.items():
        place = [int(part) if part.isdigit() else part for part in key.split("/")]
        good: list[re.Pattern[str]] = []
        for text in texts:
            try:
                good.append(compile_pattern(text, re.IGNORECASE))
            except PatternRefused as error:
                problems.append(Problem(file, lines.of(*place), f"{key.replace('/', '.')}: {error}"))
        found[key] = tuple(good)
    return found


def _like(models: Mapping[str, Any], name: str, file: str, lines: Lines, problems: list[Problem]) -> dict[str, Any]:
    """A model with what it takes over from the one that it is like."""
    chain: list[str] = []
    wanted: Any = name
    while isinstance(wanted, str) and wanted in models and wanted not in chain and len(chain) <= MAX_LIKE:
        chain.append(wanted)
        wanted = models[wanted].get("like")
    if wanted is not None:
        text = f"models.{name}.like: {wanted!r} is no other model" if chain else ""
        problems.append(Problem(file, lines.of("models", name, "like"), text))
    merged: dict[str, Any] = {}
    for each in reversed(chain):
        own = {key: value for key, value in models[each].items() if key != "like"}
        for key in ("repeats", "variables"):
            if isinstance(own.get(key), dict) and isinstance(merged.get(key), dict):
                own[key] = merged[key] | own[key]
        merged |= own
    return merged


_Place = tuple[int | str, ...]
_TABLE = re.compile(r"\s*\[(\[?)\s*([\w.\" -]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w-]+|\"[^\"]*\")\s*=")


def _lines(text: str) -> dict[_Place, int]:
    found: dict[_Place, int] = {}
    table: _Place = ()
    counts: dict[_Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.fullmatch(line):
            table = tuple(part.strip(' "') for part in re.findall(r'"[^"]*"|[^."]+', header[2]))
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1].strip('"')), number)
    return found
