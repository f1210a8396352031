"""Firmware that phones of the site are to have: which files it is, and from when on a phone may be told of it."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from contract.values import Digest, Frozen, Id, UtcTime

FirmwareFileName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_][0-9A-Za-z_.+-]{0,127}$")]
"""A plain file name as a phone can ask for it by any protocol."""
FirmwareVersion = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.+-]{1,64}$")]
"""As phones that run it write it in their User-Agent, such as `96.86.0.70`."""


class FirmwareFile(Frozen):
    """One file of a firmware."""

    name: FirmwareFileName
    """As the phone is to ask for it."""
    digest: Digest
    """Of the snapshot's blob that it is."""


class Firmware(Frozen):
    """One version for some models of a vendor."""

    firmware_id: Id
    vendor: Annotated[str, StringConstraints(pattern=r"^[0-9a-z_-]{1,32}$")]
    """Of the device plug-in."""
    models: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-z_.-]{1,32}$")], ...],
        Field(min_length=1, max_length=200),
    ]
    """Those of the plug-in's that it fits, without the vendor."""
    version: FirmwareVersion
    files: Annotated[tuple[FirmwareFile, ...], Field(min_length=1, max_length=64)]
    """The one that the phone's file names comes first; most vendors have one only."""

    @model_validator(mode="after")
    def _names_are_apart(self) -> Self:
        if len({file.name.lower() for file in self.files}) != len(self.files):
            raise ValueError("files: two have the same name; capitals and small letters are no difference")
        return self

    def fits(self, model: str) -> bool:
        """Whether a phone of this model (`<vendor>/<model>`) can run it."""
        vendor, _, name = model.partition("/")
        return vendor == self.vendor and name in self.models


class DeviceFirmware(Frozen):
    """The firmware that one phone is to have."""

    firmware_id: Id
    not_before: UtcTime
    """The phone is not told of it earlier; nor outside the site's `firmware_hours`."""
