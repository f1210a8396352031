"""What is set for many phones at once: for the tenant, for the site, for groups of devices."""

from typing import Annotated

from pydantic import Field, StringConstraints

from contract.snapshot.device import SettingValue
from contract.values import Frozen, Id, Text

Scope = Annotated[str, StringConstraints(pattern=r"^(?:\*|[0-9a-z_-]{1,32}(?:/[0-9a-z_.-]{1,32})?)$")]
"""For which models a value is meant: `*` for all that have the setting, `<vendor>`, or `<vendor>/<model>`."""
LevelSettings = Annotated[
    dict[Scope, Annotated[dict[Annotated[str, Field(max_length=128)], SettingValue], Field(max_length=500)]],
    Field(max_length=200),
]


class DeviceGroup(Frozen):
    """Devices that are configured together."""

    group_id: Id
    name: Text
    weight: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Of a device's groups the heavier wins; of two of the same weight, the one whose id is greater."""
    settings: LevelSettings = {}


class DeviceLevels(Frozen):
    """What devices take that they do not set themselves: group over site over tenant over the model's default."""

    tenant: LevelSettings = {}
    site: LevelSettings = {}
    groups: Annotated[tuple[DeviceGroup, ...], Field(max_length=1000)] = ()
    """Sorted by id."""
