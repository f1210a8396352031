"""Device plug-ins: grammar, catalogue and resolution. The cloud validates with it, the edge renders with it.

A plug-in is a folder of data in `catalogue/<vendor>/`: `plugin.toml`, `settings.xml` and `templates/*.j2`. This package
never renders a template; it hands its text to whoever does.
"""

from contract.devices.feature_codes import feature_code_level
from contract.devices.firmware import asks_beside_configuration, firmware_settings, takes_firmware
from contract.devices.loading import load_catalogue, load_plugin, shipped_plugin
from contract.devices.model import (
    Catalogue,
    DeviceModel,
    FileSpec,
    Group,
    Option,
    Plugin,
    Setting,
    Syntax,
    Value,
    Version,
    refusal,
)
from contract.devices.multicast import multicast_level, multicast_places
from contract.devices.problems import PluginProblems, Problem, UnknownModel
from contract.devices.record_key import RECORD_KEY, record_key_level
from contract.devices.resolution import (
    EVERY,
    Level,
    LevelSettings,
    Origin,
    Resolved,
    SettingProblem,
    SettingsRefused,
    Step,
    check_level,
    check_settings,
    overrides,
    resolve,
)

__all__ = [
    "EVERY",
    "RECORD_KEY",
    "Catalogue",
    "DeviceModel",
    "FileSpec",
    "Group",
    "Level",
    "LevelSettings",
    "Option",
    "Origin",
    "Plugin",
    "PluginProblems",
    "Problem",
    "Resolved",
    "Setting",
    "SettingProblem",
    "SettingsRefused",
    "Step",
    "Syntax",
    "UnknownModel",
    "Value",
    "Version",
    "asks_beside_configuration",
    "check_level",
    "check_settings",
    "feature_code_level",
    "firmware_settings",
    "load_catalogue",
    "load_plugin",
    "multicast_level",
    "multicast_places",
    "overrides",
    "record_key_level",
    "refusal",
    "resolve",
    "shipped_plugin",
    "takes_firmware",
]
