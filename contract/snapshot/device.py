"""Phones and gateways that the site provisions."""

from typing import Annotated

from pydantic import Field

from contract.snapshot.firmware import DeviceFirmware
from contract.values import Frozen, Id, MacAddress, SecretRef, Text

SettingValue = Annotated[str, Field(max_length=1024)] | int | bool
"""A value of a device setting; the device model says which type it must be."""


class Device(Frozen):
    """One phone or gateway, known by its MAC address."""

    device_id: Id
    mac: MacAddress
    model: Annotated[str, Field(pattern=r"^[0-9a-z_-]{1,32}/[0-9a-z_.-]{1,32}$")]
    """`<vendor>/<model>` of a device plug-in, such as `yealink/t54w`."""
    name: Text = ""
    settings: Annotated[dict[str, SettingValue], Field(max_length=500)] = {}
    """What differs from the model's defaults, by setting path such as `time/ntp_server`."""
    groups: Annotated[tuple[Id, ...], Field(max_length=32)] = ()
    """The device groups that it is in, sorted."""
    admin_password: SecretRef | None = None
    """The phone's own web password."""
    emergency_location_id: Id | None = None
    """Where the phone is; None: the site's default location."""
    firmware: DeviceFirmware | None = None
    """None: it keeps what it has."""
