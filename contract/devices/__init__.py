"""Device plug-ins: grammar, catalogue and resolution. The cloud validates with it, the edge renders with it.

A plug-in is a folder of data in `catalogue/<vendor>/`: `plugin.toml`, `settings.xml` and `templates/*.j2`. This package
never renders a template; it hands its text to whoever does.
"""

from contract.devices.loading import load_catalogue
from contract.devices.model import Catalogue, DeviceModel, FileSpec, Group, Option, Plugin, Setting, Syntax, Value
from contract.devices.problems import PluginProblems, Problem, UnknownModel
from contract.devices.resolution import Resolved, SettingProblem, SettingsRefused, check_settings, resolve

__all__ = [
    "Catalogue",
    "DeviceModel",
    "FileSpec",
    "Group",
    "Option",
    "Plugin",
    "PluginProblems",
    "Problem",
    "Resolved",
    "Setting",
    "SettingProblem",
    "SettingsRefused",
    "Syntax",
    "UnknownModel",
    "Value",
    "check_settings",
    "load_catalogue",
    "resolve",
]
