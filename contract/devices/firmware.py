"""How a phone's files name the firmware that it is to have: the settings that say so, by what its plug-in tells.

| form | what the phone takes | and asks for |
| --- | --- | --- |
| `file` | the address of the file | that |
| `folder` | the address of a folder | a name that it knows itself, in that folder |
| `name` | the name of the file | that, beside its configuration |
| `load` | the name of a load (Cisco's enterprise phones) | the load's files, beside its configuration |
"""

from typing import Final

from contract.devices.model import DeviceModel, Value

URL: Final = "firmware/url"
RELEASE: Final = "firmware/release"
LOAD: Final = "enterprise/load"
_LOADS: Final = ".loads"


def takes_firmware(model: DeviceModel) -> bool:
    """Whether the files of a model can name firmware at all."""
    return (LOAD if model.firmware == "load" else URL) in model.settings


def firmware_settings(model: DeviceModel, folder_url: str, file_name: str, version: str) -> dict[str, Value]:
    """The settings by which a phone is told of its firmware, by their paths.

    Args:
        model: of the phone; `takes_firmware` holds for it.
        folder_url: where the firmware's files are, without a slash at its end.
        file_name: the first of them.
        version: what the phone will say that it runs.
    """
    if model.firmware == "load":
        return {LOAD: file_name.removesuffix(_LOADS)}
    told: dict[str, Value] = {URL: folder_url if model.firmware == "folder" else f"{folder_url}/{file_name}"}
    if RELEASE in model.settings:
        told[RELEASE] = version
    return told


def asks_beside_configuration(model: DeviceModel) -> bool:
    """Whether it asks for firmware by the bare name of a file, where its configuration is."""
    return model.firmware in ("name", "load")
