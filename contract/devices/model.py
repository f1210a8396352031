"""A device model as everyone sees it: what it is called, how many lines it has, and which settings it takes.

These are plain values, already narrowed to one model: conditions are gone, repeated groups are written out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from contract.devices.problems import UnknownModel

SettingType = Literal["string", "integer", "boolean", "enum"]
Value = str | int | bool
Scope = Literal["device", "model", "vendor"]
Syntax = Literal["text", "xml"]


def refusal(text: str, refused: re.Pattern[str] | None) -> str | None:
    """Why a file cannot hold a value; None when it can.

    Args:
        text: the value as it would be written.
        refused: what the file's syntax has no way to write.
    """
    if not text.isprintable():
        return "holds a line break or another character that cannot be printed"
    if text != text.strip():
        return "begins or ends with a space"
    if refused is not None and refused.search(text):
        return "has a special meaning for the phone"
    return None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of an enum setting."""

    value: str
    label: str
    written: str
    """What the phone's file says for it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set on a device."""

    path: str
    """`group/name`, or `group/index/name` in a repeated group."""
    type: SettingType
    default: Value
    label: str
    help: str = ""
    advanced: bool = False
    parameter: str | None = None
    """The vendor's name for it; `{account}` stands for an account's number. None: only templates know it."""
    minimum: int | None = None
    maximum: int | None = None
    """Limits of an integer, both inclusive."""
    max_length: int = 255
    pattern: re.Pattern[str] | None = None
    """What a whole string must match."""
    options: tuple[Option, ...] = ()
    written_true: str = "1"
    written_false: str = "0"

    def written(self, value: Value) -> str:
        """`value`, already checked, in the vendor's words."""
        if isinstance(value, bool):
            return self.written_true if value else self.written_false
        for option in self.options:
            if option.value == value:
                return option.written
        return str(value)


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together on one page."""

    name: str
    label: str
    help: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file that phones of a model ask for."""

    name: str
    """As the phone writes it; `{mac}` stands for the device's MAC address, `{MAC}` for it in upper case."""
    template: str
    content_type: str
    syntax: Syntax
    """How values are written in it: `xml` escapes each, `text` writes it as it is."""
    scope: Scope
    """Whose file it is: one device's (and so secret), or the same for every device of the model or vendor."""


@dataclass(frozen=True, slots=True)
class Version:
    """A firmware version that some of a model's settings or files depend on."""

    name: str
    label: str
    firmware: re.Pattern[str] | None = None
    """What a phone of this version says its firmware is."""


FirmwareForm = Literal["file", "folder", "name", "load"]


@dataclass(frozen=True)
class DeviceModel:
    """One model of phone or gateway."""

    vendor: str
    name: str
    label: str
    lines: int
    """How many accounts it can register."""
    repeats: Mapping[str, int]
    """How often repeated things exist, such as `line_keys`."""
    variables: Mapping[str, str]
    """What its templates may name besides settings."""
    groups: tuple[Group, ...]
    files: tuple[FileSpec, ...]
    features: frozenset[str] = frozenset()
    https: bool = False
    """Whether it fetches by HTTPS."""
    resync_event: str | None = None
    """The NOTIFY event that makes it fetch its configuration again; None: as its vendor's phones."""
    reboot_event: str | None = None
    """The NOTIFY event that makes it start again; None: as its vendor's phones."""
    versions: tuple[Version, ...] = ()
    """Firmware versions that make a difference, the newest last; `groups` and `files` are those of the newest."""
    refused_values: re.Pattern[str] | None = None
    """What no value may contain because the syntax of its files has no way to write it."""
    firmware: FirmwareForm = "file"
    """How its files name firmware (`contract.devices.firmware`)."""
    older: Mapping[str, tuple[tuple[Group, ...], tuple[FileSpec, ...]]] = field(default_factory=dict, repr=False)
    """Groups and files of the other versions, by name."""

    def at(self, version: str) -> "DeviceModel":
        """The model as that firmware version has it; as the newest has it, when it is none of the others."""
        if version not in self.older:
            return self
        groups, files = self.older[version]
        return replace(self, groups=groups, files=files)

    def refusal(self, text: str) -> str | None:
        """Why its files cannot hold a value, as an error says it; None when they can. Never repeats the value."""
        return refusal(text, self.refused_values)

    @property
    def key(self) -> str:
        """`<vendor>/<model>`, as snapshots name it."""
        return f"{self.vendor}/{self.name}"

    @cached_property
    def settings(self) -> dict[str, Setting]:
        """Every setting by its path."""
        return {setting.path: setting for group in self.groups for setting in group.settings}

    @cached_property
    def every_setting(self) -> dict[str, tuple[Setting, ...]]:
        """Every setting that some firmware version has, by its path; the newest version's first."""
        found: dict[str, tuple[Setting, ...]] = {}
        for groups in (self.groups, *(groups for groups, _ in self.older.values())):
            for group in groups:
                for setting in group.settings:
                    found[setting.path] = (*found.get(setting.path, ()), setting)
        return found


@dataclass(frozen=True)
class Plugin:
    """One vendor's folder."""

    vendor: str
    label: str
    ouis: frozenset[str]
    """First six hexadecimal digits of its MAC addresses."""
    user_agents: tuple[re.Pattern[str], ...]
    """Patterns with the groups `model`, `firmware` and `mac`, each optional."""
    file_names: tuple[re.Pattern[str], ...]
    """What its phones ask for, with the group `mac` where a name holds it."""
    dhcp_vendor_classes: tuple[re.Pattern[str], ...]
    """What its phones say in DHCP option 60."""
    resync_event: str | None
    """The NOTIFY event that makes a phone fetch its configuration again, with its parameters."""
    reboot_event: str | None
    """The NOTIFY event that makes a phone start again."""
    refused_values: re.Pattern[str] | None
    """What no value may contain because the file's syntax has no way to write it."""
    unwritable: frozenset[str]
    """Characters that are left out of names for people because the file's syntax has no way to write them."""
    models: Mapping[str, DeviceModel]
    templates: Mapping[str, str] = field(repr=False)
    """Template text by file name."""
    languages: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Language code, such as `de` → text of a label or help → the same in that language."""
    https: bool = False
    """Whether its phones fetch by HTTPS."""
    certificate_names: tuple[re.Pattern[str], ...] = ()
    """Common names of the certificates that its phones are made with, with the group `mac`."""
    redirect_service: str | None = None
    """The service of the vendor that tells a new phone its server."""
    plug_and_play: Literal["folder", "file"] = "folder"
    """What its phones are told by SIP plug and play: where all files are, or their own file."""
    dhcp_options: tuple[int, ...] = ()
    """By which DHCP options its phones take a server, the first before the others."""
    vendor_options: Mapping[int, str] = field(default_factory=dict)
    """What its phones take inside DHCP option 43: texts by sub-option, with `{url}`, `{host}` and `{vlan}` in them; by
    0 a text without sub-options."""

    def event(self, model: str, *, reboot: bool) -> str | None:
        """The NOTIFY event by which a model fetches again, or starts again; None: it has none."""
        own = self.models.get(model)
        if reboot:
            return own.reboot_event if own is not None and own.reboot_event else self.reboot_event
        return own.resync_event if own is not None and own.resync_event else self.resync_event

    def text(self, text: str, language: str) -> str:
        """A label or help in a language such as `de` or `de-AT`; as it is where nobody has translated it."""
        for code in (language, language.partition("-")[0]):
            if (found := self.languages.get(code, {}).get(text)) is not None:
                return found
        return text


@dataclass(frozen=True)
class Catalogue:
    """Every device plug-in."""

    plugins: Mapping[str, Plugin]

    def extended(self, plugins: Mapping[str, Plugin]) -> "Catalogue":
        """This catalogue with further plug-ins."""
        return Catalogue({**self.plugins, **plugins}) if plugins else self

    def find(self, key: str) -> DeviceModel | None:
        """The model `<vendor>/<name>`, or None."""
        vendor, _, name = key.partition("/")
        plugin = self.plugins.get(vendor)
        return plugin.models.get(name) if plugin else None

    def model(self, key: str) -> DeviceModel:
        """The model `<vendor>/<name>`.

        Raises:
            UnknownModel: no plug-in describes it.
        """
        if (found := self.find(key)) is None:
            raise UnknownModel(key)
        return found

    def in_scope(self, scope: str) -> tuple[DeviceModel, ...]:
        """The models that `*`, a vendor or `<vendor>/<model>` means."""
        if scope == "*":
            return self.models
        if scope in self.plugins:
            return tuple(self.plugins[scope].models.values())
        model = self.find(scope)
        return (model,) if model is not None else ()

    @cached_property
    def models(self) -> tuple[DeviceModel, ...]:
        """Every model, by vendor and name."""
        return tuple(
            plugin.models[name] for _, plugin in sorted(self.plugins.items()) for name in sorted(plugin.models)
        )
