"""Plug-ins that come with the site's configuration: loaded once for each content, refused with every problem."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contract.devices import Plugin, PluginProblems, load_plugin
from contract.devices.archive import unpack
from edge_agent.provisioning.config import PluginPackage
from edge_agent.provisioning.errors import ConfigRefused, RenderError
from edge_agent.provisioning.render.templates import PluginTemplates


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plug-in, ready to render."""

    digest: str
    """Of the package that it came in; empty for those that the agent was installed with."""
    plugin: Plugin
    templates: PluginTemplates


def load_packages(packages: Iterable[PluginPackage], known: Mapping[str, Loaded]) -> dict[str, Loaded]:
    """The plug-ins of these packages.

    Args:
        packages: of the configuration.
        known: what is loaded already; one of the same content is taken from there.

    Raises:
        ConfigRefused: naming every problem of every package.
    """
    loaded: dict[str, Loaded] = {}
    problems: list[str] = []
    for package in packages:
        old = known.get(package.vendor)
        if old is not None and old.digest == package.digest:
            loaded[package.vendor] = old
            continue
        try:
            plugin = load_plugin(package.vendor, unpack(package.content, package.vendor))
            loaded[package.vendor] = Loaded(package.digest, plugin, PluginTemplates(plugin))
        except PluginProblems as error:
            problems += [f"device plug-in {problem}" for problem in error.problems]
        except RenderError as error:
            problems.append(f"device plug-in {error}")
    if problems:
        raise ConfigRefused(tuple(problems))
    return loaded
