"""Reads the plug-in folders into a catalogue, and reports every problem of every folder together."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from contract.devices.description import Description, FileDescription, ModelDescription, compiled, parse_description
from contract.devices.grammar import GroupDefinition, parse_settings
from contract.devices.model import Catalogue, DeviceModel, FileSpec, Plugin
from contract.devices.narrowing import narrow
from contract.devices.problems import PluginProblems, Problem

MAX_TEMPLATE: Final = 256 * 1024
_VENDOR = re.compile(r"[0-9a-z_-]{1,32}")
_PLACEHOLDER = re.compile(r"\{([a-z_]+|MAC)\}")


def load_catalogue(folder: Traversable | None = None) -> Catalogue:
    """Every device plug-in of a folder.

    Args:
        folder: one folder per vendor in it; None means the plug-ins that Tandem ships.

    Raises:
        PluginProblems: naming every problem of every plug-in by file and line.
    """
    root = folder if folder is not None else files(__package__) / "catalogue"
    plugins: dict[str, Plugin] = {}
    problems: list[Problem] = []
    for vendor in sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda entry: entry.name):
        if not _VENDOR.fullmatch(vendor.name):
            continue
        try:
            plugins[vendor.name] = _plugin(vendor)
        except PluginProblems as error:
            problems += error.problems
    if problems:
        raise PluginProblems(tuple(sorted(set(problems))))
    return Catalogue(plugins)


def _plugin(folder: Traversable) -> Plugin:
    description_file, settings_file = f"{folder.name}/plugin.toml", f"{folder.name}/settings.xml"
    description_data = _read(folder, "plugin.toml")
    description = parse_description(description_data, description_file)
    patterns = compiled(
        {
            "user_agents": description.user_agents,
            "file_names": description.file_names,
            "dhcp_vendor_classes": description.dhcp_vendor_classes,
            "refused_values": (description.refused_values,) if description.refused_values else (),
        },
        description_data,
        description_file,
    )
    definitions = parse_settings(_read(folder, "settings.xml"), settings_file)
    templates = _templates(folder, description)
    models: dict[str, DeviceModel] = {}
    problems: list[Problem] = []
    for name, described in description.models.items():
        models[name], found = _model(folder.name, name, described, description.files, definitions)
        problems += found
    if problems:
        raise PluginProblems(tuple(problems))
    return Plugin(
        vendor=folder.name,
        label=description.label,
        ouis=frozenset(description.ouis),
        user_agents=patterns["user_agents"],
        file_names=patterns["file_names"],
        dhcp_vendor_classes=patterns["dhcp_vendor_classes"],
        resync_event=description.resync_event,
        reboot_event=description.reboot_event,
        refused_values=next(iter(patterns["refused_values"]), None),
        unwritable=frozenset(description.unwritable),
        models=models,
        templates=templates,
    )


def _read(folder: Traversable, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError:
        raise PluginProblems((Problem(f"{folder.name}/{name}", 0, "the file cannot be read"),)) from None


def _templates(folder: Traversable, description: Description) -> dict[str, str]:
    """Every template of the folder, those that others include or extend as well."""
    place = folder / "templates"
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for entry in place.iterdir() if place.is_dir() else ():
        if entry.name.endswith(".j2"):
            data = entry.read_bytes()
            if len(data) > MAX_TEMPLATE:
                problems.append(Problem(f"{folder.name}/templates/{entry.name}", 0, "larger than 256 KiB"))
            found[entry.name] = data.decode(errors="replace")
    wanted = {file.template for file in description.files}
    problems += [
        Problem(f"{folder.name}/templates/{name}", 0, "plugin.toml names it, and it is not there")
        for name in wanted - found.keys()
    ]
    if problems:
        raise PluginProblems(tuple(problems))
    return found


def _model(
    vendor: str,
    name: str,
    described: ModelDescription,
    described_files: tuple[FileDescription, ...],
    definitions: tuple[GroupDefinition, ...],
) -> tuple[DeviceModel, tuple[Problem, ...]]:
    groups, found = narrow(
        definitions, name, frozenset(described.features), described.repeats, f"{vendor}/settings.xml"
    )
    problems = list(found)
    specs: list[FileSpec] = []
    for file in described_files:
        known = {"mac", "MAC"} if file.scope == "device" else set[str]()
        missing = set(_PLACEHOLDER.findall(file.name)) - known - described.variables.keys()
        if missing and file.optional:
            continue
        if missing:
            text = f"model {name} has no {', '.join(sorted(missing))} for the file name {file.name}"
            problems.append(Problem(f"{vendor}/plugin.toml", 0, text))
        if file.scope == "device" and "{mac}" not in file.name.lower():
            problems.append(Problem(f"{vendor}/plugin.toml", 0, f"a device's file needs {{mac}}: {file.name}"))
        filled = _PLACEHOLDER.sub(lambda match: described.variables.get(match[1], match[0]), file.name)
        specs.append(FileSpec(filled, file.template, file.content_type, file.syntax, file.scope))
    model = DeviceModel(
        vendor=vendor,
        name=name,
        label=described.label,
        lines=described.lines,
        repeats=described.repeats,
        variables=described.variables,
        groups=groups,
        files=tuple(specs),
    )
    return model, tuple(problems)
