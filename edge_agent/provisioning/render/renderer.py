"""Renders a site's files, each device again only when something of it changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.devices import Catalogue, DeviceModel, FileSpec, SettingsRefused
from edge_agent.provisioning.config import DeviceConfig, ProvisioningConfig
from edge_agent.provisioning.errors import ConfigRefused, RenderError, UnknownTimeZone
from edge_agent.provisioning.render.library import Library, RenderedFile
from edge_agent.provisioning.render.phone import phone
from edge_agent.provisioning.render.templates import PluginTemplates
from edge_agent.provisioning.render.time_zone import PhoneTimeZone, phone_time_zone


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What a device's files were made of, and the files."""

    config: DeviceConfig
    time_zone: PhoneTimeZone
    server_url: str
    files: tuple[RenderedFile, ...]


class Renderer:
    """Makes libraries; keeps what it rendered for the configurations that follow.

    Args:
        catalogue: the device plug-ins.

    Raises:
        RenderError: a plug-in's template is not valid.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._templates = {vendor: PluginTemplates(plugin) for vendor, plugin in catalogue.plugins.items()}
        self._kept: dict[str, _Rendered] = {}
        self.devices_rendered = 0
        """How many devices have been rendered since the start."""

    def render(self, config: ProvisioningConfig) -> Library:
        """Every file of a configuration.

        Raises:
            ConfigRefused: naming every device that cannot be rendered, and why.
        """
        try:
            time_zone = phone_time_zone(config.time_zone)
        except UnknownTimeZone as error:
            raise ConfigRefused((str(error),)) from None
        kept: dict[str, _Rendered] = {}
        problems: list[str] = []
        for device in config.devices:
            old = self._kept.get(device.device_id)
            if old is not None and (old.config, old.time_zone, old.server_url) == (
                device,
                time_zone,
                config.server_url,
            ):
                kept[device.device_id] = old
                continue
            model = self._catalogue.find(device.model)
            found = list(_problems(device, model))
            if found or model is None:
                problems += found
                continue
            try:
                files = self._device(device, model, time_zone, config.server_url)
            except SettingsRefused as error:
                problems += [f"device {device.mac}: {problem}" for problem in error.problems]
            except RenderError as error:
                problems.append(f"device {device.mac}: {error}")
            else:
                kept[device.device_id] = _Rendered(device, time_zone, config.server_url, files)
        if problems:
            raise ConfigRefused(tuple(problems))
        self._kept = kept
        return Library(
            (file for rendered in kept.values() for file in rendered.files),
            {device.mac: device.device_id for device in config.devices},
        )

    def _device(
        self, device: DeviceConfig, model: DeviceModel, time_zone: PhoneTimeZone, server_url: str
    ) -> tuple[RenderedFile, ...]:
        self.devices_rendered += 1
        templates = self._templates[model.vendor]
        unwritable = self._catalogue.plugins[model.vendor].unwritable
        names = phone(device, model, time_zone, server_url, unwritable).names()
        # A file that devices share must not know which device it is.
        shared = {"model": model, "time_zone": time_zone, "server_url": server_url}
        return tuple(
            RenderedFile.of(
                _file_name(file, device),
                templates.render(file.template, names if file.scope == "device" else shared, file.syntax),
                file.content_type,
                device.device_id if file.scope == "device" else None,
            )
            for file in model.files
        )


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
