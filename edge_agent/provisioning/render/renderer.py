"""Renders a site's files, each device again only when something of it changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from contract.devices import Catalogue, DeviceModel, FileSpec, Level, SettingsRefused, firmware_settings, overrides
from contract.devices.resolution import VERSION_SETTING
from edge_agent.provisioning.config import DeviceConfig, DirectoryEntry, ProvisioningConfig
from edge_agent.provisioning.errors import ConfigRefused, RenderError, UnknownTimeZone
from edge_agent.provisioning.render.library import Library, RenderedFile
from edge_agent.provisioning.render.packages import Loaded, load_packages
from edge_agent.provisioning.render.phone import one_line, phone
from edge_agent.provisioning.render.templates import PluginTemplates
from edge_agent.provisioning.render.time_zone import PhoneTimeZone, phone_time_zone


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What a device's files were made of, and the files."""

    config: DeviceConfig
    time_zone: PhoneTimeZone
    server_url: str
    model: DeviceModel
    """As its firmware version has it."""
    files: tuple[RenderedFile, ...]


@dataclass(frozen=True, slots=True)
class _Site:
    """What every device of a site is rendered with."""

    time_zone: PhoneTimeZone
    server_url: str
    secure_url: str
    directory: tuple[DirectoryEntry, ...]
    shared: dict[str, RenderedFile] = field(default_factory=dict)
    """Files that devices share, by name."""

    def url(self, model: DeviceModel) -> str:
        """Where phones of the model fetch."""
        return self.secure_url if model.https and self.secure_url else self.server_url


class Renderer:
    """Makes libraries; keeps what it rendered for the configurations that follow.

    Args:
        catalogue: the device plug-ins.

    Raises:
        RenderError: a plug-in's template is not valid.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._shipped = {
            vendor: Loaded("", plugin, PluginTemplates(plugin)) for vendor, plugin in catalogue.plugins.items()
        }
        self._plugins = self._shipped
        self.catalogue = catalogue
        """With the plug-ins of the configuration that was rendered last."""
        self._kept: dict[str, _Rendered] = {}
        self.devices_rendered = 0
        """How many devices have been rendered since the start."""

    def render(self, config: ProvisioningConfig) -> Library:
        """Every file of a configuration.

        Raises:
            ConfigRefused: naming every device and every plug-in that cannot be rendered, and why.
        """
        plugins = {**self._shipped, **load_packages(config.plugins, self._plugins)}
        changed = {name for name, one in plugins.items() if one is not self._plugins.get(name)}
        self._kept = {key: one for key, one in self._kept.items() if one.model.vendor not in changed}
        self._plugins = plugins
        self.catalogue = Catalogue({name: one.plugin for name, one in plugins.items()})
        try:
            time_zone = phone_time_zone(config.time_zone)
        except UnknownTimeZone as error:
            raise ConfigRefused((str(error),)) from None
        site = _Site(time_zone, config.server_url, config.secure_url, config.directory)
        kept: dict[str, _Rendered] = {}
        problems: list[str] = []
        for device in config.devices:
            model = self.catalogue.find(device.model)
            found = list(_problems(device, model))
            if found or model is None:
                problems += found
                continue
            url = site.url(model)
            narrowed = _with_firmware(_narrowed(device, model), model, url)
            old = self._kept.get(device.device_id)
            try:
                if old is None or (old.config, old.time_zone, old.server_url) != (narrowed, time_zone, url):
                    old = self._device(narrowed, model, time_zone, url)
                kept[device.device_id] = old
                self._share(old.model, site)
            except SettingsRefused as error:
                problems += [f"device {device.mac}: {problem}" for problem in error.problems]
            except RenderError as error:
                problems.append(f"device {device.mac}: {error}")
        if problems:
            raise ConfigRefused(tuple(problems))
        self._kept = kept
        return Library(
            (*site.shared.values(), *(file for rendered in kept.values() for file in rendered.files)),
            {device.mac: device.device_id for device in config.devices},
        )

    def _device(self, device: DeviceConfig, model: DeviceModel, time_zone: PhoneTimeZone, url: str) -> _Rendered:
        """The files of one device's own."""
        self.devices_rendered += 1
        unwritable = self._plugins[model.vendor].plugin.unwritable
        seen = phone(device, model, time_zone, url, unwritable)
        version = seen.settings.get(VERSION_SETTING)
        model = model.at(str(version.value)) if version is not None else model
        files = tuple(
            self._file(model, file, _file_name(file, device), seen.names(), device.device_id)
            for file in model.files
            if file.scope == "device"
        )
        return _Rendered(device, time_zone, url, model, files)

    def _share(self, model: DeviceModel, site: _Site) -> None:
        """The files that the model's devices share; such a file does not know which device asks for it."""
        unwritable = self._plugins[model.vendor].plugin.unwritable
        names: Mapping[str, object] = {}
        for file in model.files:
            if file.scope == "device" or file.name.lower() in site.shared:
                continue
            names = names or {
                "model": model,
                "time_zone": site.time_zone,
                "server_url": site.url(model),
                "directory": tuple(replace(one, name=one_line(one.name, unwritable)) for one in site.directory),
            }
            site.shared[file.name.lower()] = self._file(model, file, file.name, names, None)

    def _file(
        self, model: DeviceModel, file: FileSpec, name: str, names: Mapping[str, object], device_id: str | None
    ) -> RenderedFile:
        body = self._plugins[model.vendor].templates.render(file.template, names, file.syntax)
        return RenderedFile.of(name, body, file.content_type, device_id)


def _narrowed(device: DeviceConfig, model: DeviceModel) -> DeviceConfig:
    """The device with only that of its levels which is meant for it, so that other values change nothing of it."""
    levels = tuple(
        Level(level.origin, {model.key: said}, level.source)
        for level in device.levels
        if (said := overrides(model, level.settings))
    )
    return replace(device, levels=levels)


def _with_firmware(device: DeviceConfig, model: DeviceModel, url: str) -> DeviceConfig:
    """The device with the settings that tell its phone of firmware, which win over what people set there."""
    told = device.told
    if told is None:
        return device
    said = firmware_settings(model, f"{url}/{told.folder}", told.file_name, told.version)
    return replace(device, settings={**device.settings, **said})


def _file_name(file: FileSpec, device: DeviceConfig) -> str:
    return file.name.replace("{mac}", device.mac).replace("{MAC}", device.mac.upper())


def _problems(device: DeviceConfig, model: DeviceModel | None) -> Iterator[str]:
    if model is None:
        yield f"device {device.mac}: no device plug-in describes the model {device.model!r}"
        return
    positions = [account.position for account in device.accounts]
    for position in sorted({each for each in positions if positions.count(each) > 1}):
        yield f"device {device.mac}: two accounts have position {position}"
    for position in positions:
        if not 1 <= position <= model.lines:
            yield f"device {device.mac}: {model.label} has {model.lines} lines, and no position {position}"
