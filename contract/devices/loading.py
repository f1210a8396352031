"""Reads the plug-in folders into a catalogue, and reports every problem of every folder together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from contract.devices.description import (
    Description,
    FileDescription,
    Lines,
    ModelDescription,
    compiled,
    parse_description,
    parse_toml,
)
from contract.devices.folder import Folder, read_folder
from contract.devices.grammar import GroupDefinition, parse_settings
from contract.devices.model import Catalogue, DeviceModel, FileSpec, Group, Option, Plugin, Setting, Version
from contract.devices.narrowing import narrow
from contract.devices.problems import PluginProblems, Problem
from contract.devices.resolution import VERSION_SETTING
from contract.devices.sipxcom import parse_sipxcom
from contract.devices.xml_tree import Element, parse_xml

MAX_TEMPLATE: Final = 256 * 1024
TEMPLATE_ENDINGS: Final = (".j2", ".vm")
"""Jinja2, and Velocity as sipXcom's plug-ins have it."""
COMMON: Final = "common"
"""The folder with what plug-ins share: settings that they extend, and translations."""
VENDOR: Final = re.compile(r"[0-9a-z_-]{1,32}")
_PLACEHOLDER = re.compile(r"\{([a-z_]+|MAC)\}")
_LANGUAGE = re.compile(r"languages/([a-z]{2}(?:-[A-Z]{2})?)\.toml")


@dataclass(frozen=True, slots=True)
class Common:
    """What the folder `common` holds."""

    settings: Element | None = None
    languages: Mapping[str, Mapping[str, str]] | None = None


def load_catalogue(folder: Traversable | None = None, also: Traversable | None = None) -> Catalogue:
    """Every device plug-in of a folder.

    Args:
        folder: one folder per vendor in it; None means the plug-ins that Tandem ships.
        also: an operator's own folder of the same kind, when it is there; a plug-in in it comes before one that has
            the same name.

    Raises:
        PluginProblems: naming every problem of every plug-in by file and line.
    """
    plugins: dict[str, Plugin] = {}
    problems: list[Problem] = []
    for root in (folder if folder is not None else files(__package__) / "catalogue", also):
        if root is not None and root.is_dir():
            _load(root, plugins, problems)
    if problems:
        raise PluginProblems(tuple(sorted(set(problems))))
    return Catalogue(plugins)


def _load(root: Traversable, plugins: dict[str, Plugin], problems: list[Problem]) -> None:
    for vendor in sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda entry: entry.name):
        if not VENDOR.fullmatch(vendor.name) or vendor.name == COMMON:
            continue
        try:
            plugins[vendor.name] = load_plugin(vendor.name, read_folder(vendor))
        except PluginProblems as error:
            problems += error.problems


def shipped_plugin(vendor: str) -> Plugin | None:
    """A plug-in that Tandem ships; None: there is none of this vendor.

    Raises:
        PluginProblems: naming every problem of it.
    """
    folder = files(__package__) / "catalogue" / vendor
    shipped = VENDOR.fullmatch(vendor) and vendor != COMMON and folder.is_dir()
    return load_plugin(vendor, read_folder(folder)) if shipped else None


@cache
def shipped_common() -> Common:
    """What the plug-ins that Tandem ships share, and those of operators may."""
    folder = read_folder(files(__package__) / "catalogue" / COMMON)
    languages = {found[1]: _language(path, data) for path, data in folder.items() if (found := _LANGUAGE.match(path))}
    return Common(parse_xml(folder["settings.xml"], f"{COMMON}/settings.xml"), languages)


def load_plugin(vendor: str, folder: Folder) -> Plugin:
    """One plug-in.

    Args:
        vendor: the folder's name.
        folder: what is in it.

    Raises:
        PluginProblems: naming every problem of it by file and line.
    """
    return _Loading(vendor, folder).plugin()


class _Loading:
    """Reads one folder and collects problems instead of stopping at the first."""

    def __init__(self, vendor: str, folder: Folder) -> None:
        self._vendor = vendor
        self._folder = folder
        self._problems: list[Problem] = []

    def plugin(self) -> Plugin:
        common = shipped_common()
        description = self._description()
        definitions = self._definitions(common, description)
        templates = self._templates(description)
        languages = self._languages(common)
        if description is None or definitions is None:
            raise PluginProblems(tuple(sorted(set(self._problems))))
        lines, file = Lines(self._folder["plugin.toml"]), self._name("plugin.toml")
        patterns = compiled(
            {
                "user_agents": description.user_agents,
                "file_names": description.file_names,
                "dhcp_vendor_classes": description.dhcp_vendor_classes,
                "certificate_names": description.certificate_names,
                "refused_values": (description.refused_values,) if description.refused_values else (),
                **{
                    f"versions/{name}/firmware": (v.firmware,) for name, v in description.versions.items() if v.firmware
                },
                **{f"files/{n}/if": (f.condition,) for n, f in enumerate(description.files) if f.condition},
            },
            lines,
            file,
            self._problems,
        )
        models = {
            name: self._model(name, described, description, definitions, lines, patterns)
            for name, described in description.models.items()
        }
        if self._problems:
            raise PluginProblems(tuple(sorted(set(self._problems))))
        return Plugin(
            vendor=self._vendor,
            label=description.label,
            ouis=frozenset(description.ouis),
            user_agents=patterns["user_agents"],
            file_names=patterns["file_names"],
            dhcp_vendor_classes=patterns["dhcp_vendor_classes"],
            dhcp_options=description.dhcp_options,
            vendor_options=_vendor_options(description.dhcp_option_43),
            https=description.https,
            plug_and_play=description.plug_and_play,
            certificate_names=patterns["certificate_names"],
            redirect_service=description.redirect_service,
            resync_event=description.resync_event,
            reboot_event=description.reboot_event,
            refused_values=next(iter(patterns["refused_values"]), None),
            unwritable=frozenset(description.unwritable),
            models=models,
            templates=templates,
            languages=languages,
        )

    def _name(self, path: str) -> str:
        return f"{self._vendor}/{path}"

    def _problem(self, path: str, text: str, line: int = 0) -> None:
        self._problems.append(Problem(self._name(path), line, text))

    def _read(self, path: str) -> bytes | None:
        if path not in self._folder:
            self._problem(path, "the file cannot be read")
        return self._folder.get(path)

    def _description(self) -> Description | None:
        data = self._read("plugin.toml")
        try:
            return parse_description(data, self._name("plugin.toml")) if data is not None else None
        except PluginProblems as error:
            self._problems += error.problems
            return None

    def _definitions(self, common: Common, description: Description | None) -> tuple[GroupDefinition, ...] | None:
        if description is not None and description.sipxcom is not None:
            models = description.sipxcom
            try:
                return parse_sipxcom(self._vendor, self._folder, models.phone, models.line)
            except PluginProblems as error:
                self._problems += error.problems
                return None
        data = self._read("settings.xml")
        try:
            return parse_settings(data, self._name("settings.xml"), common.settings) if data is not None else None
        except PluginProblems as error:
            self._problems += error.problems
            return None

    def _templates(self, description: Description | None) -> dict[str, str]:
        """Every template of the folder, those that others include or extend as well."""
        found: dict[str, str] = {}
        for path, data in self._folder.items():
            folder, _, name = path.partition("/")
            if folder == "templates" and name.endswith(TEMPLATE_ENDINGS):
                if len(data) > MAX_TEMPLATE:
                    self._problem(path, "larger than 256 KiB")
                found[name] = data.decode(errors="replace")
        for name in sorted({file.template for file in description.files} - found.keys()) if description else ():
            self._problem(f"templates/{name}", "plugin.toml names it, and it is not there")
        return found

    def _languages(self, common: Common) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = dict(common.languages or {})
        for path, data in self._folder.items():
            if language := _LANGUAGE.fullmatch(path):
                try:
                    found[language[1]] = {**found.get(language[1], {}), **_language(self._name(path), data)}
                except PluginProblems as error:
                    self._problems += error.problems
        return found

    def _model(
        self,
        name: str,
        described: ModelDescription,
        description: Description,
        definitions: tuple[GroupDefinition, ...],
        lines: Lines,
        patterns: Mapping[str, tuple[re.Pattern[str], ...]],
    ) -> DeviceModel:
        wanted = [v for v in description.versions if described.versions is None or v in described.versions]
        versions = tuple(
            Version(v, description.versions[v].label, next(iter(patterns.get(f"versions/{v}/firmware", ())), None))
            for v in wanted
        )
        made: dict[str, tuple[tuple[Group, ...], tuple[FileSpec, ...]]] = {}
        for version in wanted or [""]:
            features = frozenset(described.features)
            if version:
                features |= {version, *description.versions[version].features}
            groups, found = narrow(definitions, name, features, described.repeats, self._name("settings.xml"))
            self._problems += found
            if len(versions) > 1:
                groups = (*groups, _version_group(versions))
            specs = tuple(
                spec
                for number, file in enumerate(description.files)
                if not (conditions := patterns.get(f"files/{number}/if"))
                or any(conditions[0].fullmatch(define) for define in features | {name})
                if (spec := self._file(name, described, number, file, lines)) is not None
            )
            made[version] = (groups, specs)
        newest = wanted[-1] if wanted else ""
        groups, specs = made.pop(newest)
        return DeviceModel(
            vendor=self._vendor,
            name=name,
            label=described.label,
            lines=described.lines,
            repeats=described.repeats,
            variables=described.variables,
            groups=groups,
            files=specs,
            features=frozenset(described.features),
            https=description.https if described.https is None else described.https,
            resync_event=described.resync_event,
            reboot_event=described.reboot_event,
            versions=versions,
            refused_values=next(iter(patterns["refused_values"]), None),
            firmware=described.firmware or description.firmware,
            older=made,
        )

    def _file(
        self, model: str, described: ModelDescription, number: int, file: FileDescription, lines: Lines
    ) -> FileSpec | None:
        known = {"mac", "MAC"} if file.scope == "device" else set[str]()
        missing = set(_PLACEHOLDER.findall(file.name)) - known - described.variables.keys()
        if missing and file.optional:
            return None
        line = lines.of("files", number, "name")
        if missing:
            text = f"model {model} has no {', '.join(sorted(missing))} for the file name {file.name}"
            self._problem("plugin.toml", text, line)
        if file.scope == "device" and "{mac}" not in file.name.lower():
            self._problem("plugin.toml", f"a device's file needs {{mac}}: {file.name}", line)
        filled = _PLACEHOLDER.sub(lambda match: described.variables.get(match[1], match[0]), file.name)
        return FileSpec(filled, file.template, file.content_type, file.syntax, file.scope)


def _version_group(versions: tuple[Version, ...]) -> Group:
    group, _, _ = VERSION_SETTING.partition("/")
    options = tuple(Option(version.name, version.label, version.name) for version in versions)
    setting = Setting(
        VERSION_SETTING, "enum", versions[-1].name, "Firmware that its files are for", advanced=True, options=options
    )
    return Group(f"{group}_version", "Firmware version", "", (setting,))


def _language(file: str, data: bytes) -> dict[str, str]:
    content = parse_toml(data, file)
    lines = Lines(data)
    problems = [
        Problem(file, lines.of(key), f"{key!r} must be one line of text")
        for key, value in content.items()
        if not isinstance(value, str) or not value or not value.isprintable()
    ]
    if problems:
        raise PluginProblems(tuple(problems))
    return content


def _vendor_options(described: str | dict[str, str] | None) -> dict[int, str]:
    """What goes into DHCP option 43, by sub-option; a text of its own stands under 0."""
    if isinstance(described, str):
        return {0: described}
    return {int(code): text for code, text in (described or {}).items()}
