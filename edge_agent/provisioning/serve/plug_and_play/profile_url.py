"""Which URL a phone is told by plug and play: a folder in which it looks for its names, or the one file to take.

The vendor's plug-in says which (`plug_and_play`). The URL never holds a password: anybody on the network hears it.
"""

from contract.devices import Catalogue, DeviceModel, Plugin
from edge_agent.provisioning.config import ProvisioningConfig
from edge_agent.provisioning.identify import Facts


class ProfileUrls:
    """Makes URLs for the phones of the configuration that is served.

    Args:
        catalogue: the device plug-ins.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._models: dict[str, str] = {}
        self._config = ProvisioningConfig(0)

    def serve(self, config: ProvisioningConfig, catalogue: Catalogue | None = None) -> None:
        """From here on, URLs are of this configuration, and of these plug-ins where they are others."""
        self._config = config
        self._catalogue = catalogue or self._catalogue
        self._models = {device.mac: device.model for device in config.devices}

    def url_for(self, facts: Facts) -> str:
        """The URL for a phone, by what it says of itself; empty where nothing is served by HTTP."""
        mac = facts.mac.value
        model = self._catalogue.find(self._models.get(mac, ""))
        plugin = self._catalogue.plugins.get(model.vendor if model is not None else facts.vendor.value)
        server = self._config.url_for(model)
        if not server:
            return ""
        if plugin is not None and plugin.plug_and_play == "file":
            file = _own_file(plugin, model, mac)
            if file:
                return f"{server}/{file}"
        return f"{server}/"


def _own_file(plugin: Plugin, model: DeviceModel | None, mac: str) -> str:
    """The name of a phone's own file; of a model that is not known, one that any of the vendor's phones takes."""
    models = (model,) if model is not None else tuple(plugin.models.values())[:1]
    for each in models:
        names = [file.name for file in each.files if file.scope == "device"]
        if names:
            return names[-1].replace("{mac}", mac).replace("{MAC}", mac.upper())
    return ""
