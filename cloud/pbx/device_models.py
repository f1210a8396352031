"""Device models as a tenant chooses among them, and the check of a device against its model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cloud.pbx.checks import Problems
from cloud.pbx.errors import NotFound
from contract.devices import EVERY, Catalogue, DeviceModel, Group, Plugin, Setting, Value, check_settings

ANNOUNCED: Final = "announced/any"
"""The model of a device whose phone has not come yet: it becomes the phone's own once that says what it is."""


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model with its vendor's name for people."""

    key: str
    vendor: str
    vendor_label: str
    name: str
    label: str
    lines: int
    https: bool
    groups: tuple[Group, ...]


def list_models(catalogue: Catalogue) -> list[ModelView]:
    """Every model, by vendor and name."""
    return [_view(catalogue, model) for model in catalogue.models]


def get_model(catalogue: Catalogue, key: str, language: str = "en") -> ModelView:
    """One model.

    Raises:
        NotFound: no plug-in describes it.
    """
    model = catalogue.find(key)
    if model is None:
        raise NotFound
    plugin = catalogue.plugins[model.vendor]
    return replace(
        _view(catalogue, model), groups=tuple(_translated(plugin, group, language) for group in model.groups)
    )


def _translated(plugin: Plugin, group: Group, language: str) -> Group:
    """The group with labels and help in that language, as far as somebody has translated them."""

    def said(text: str) -> str:
        return plugin.text(text, language)

    settings = tuple(
        replace(
            setting,
            label=said(setting.label),
            help=said(setting.help),
            options=tuple(replace(option, label=said(option.label)) for option in setting.options),
        )
        for setting in group.settings
    )
    return Group(group.name, said(group.label), said(group.help), settings)


def scope_groups(catalogue: Catalogue, scope: str, language: str = "en") -> tuple[Group, ...]:
    """What can be set for all models of a scope at once, by groups.

    Args:
        scope: `<vendor>/<model>`, `<vendor>`: what any of its models has; `*`: what models of several vendors have.

    Raises:
        NotFound: no model is in the scope.
    """
    models = catalogue.in_scope(scope)
    if not models:
        raise NotFound
    vendors: dict[str, set[str]] = {}
    found: dict[str, dict[str, Setting]] = {}
    heads: dict[str, Group] = {}
    for model in models:
        plugin = catalogue.plugins[model.vendor]
        for group in (_translated(plugin, one, language) for one in model.groups):
            heads.setdefault(group.name, group)
            for setting in group.settings:
                vendors.setdefault(setting.path, set()).add(model.vendor)
                found.setdefault(group.name, {}).setdefault(setting.path, setting)
    least = 2 if scope == EVERY else 1
    shown = {
        name: tuple(one for one in settings.values() if len(vendors[one.path]) >= least)
        for name, settings in found.items()
    }
    return tuple(replace(heads[name], settings=settings) for name, settings in shown.items() if settings)


def check_device(
    catalogue: Catalogue, problems: Problems, key: str, settings: Mapping[str, Value]
) -> DeviceModel | None:
    """Note what is wrong with a device's model and settings; the model, if there is one."""
    if key == ANNOUNCED:
        if settings:
            problems.add("settings", "Settings belong to a model; this device's is not known yet")
        return None
    model = catalogue.find(key)
    if model is None:
        problems.add("model", "There is no such device model")
        return None
    for problem in check_settings(model, settings):
        problems.add(f"settings.{problem.path}", problem.message)
    return model


def check_written(problems: Problems, model: DeviceModel, values: Mapping[str, str]) -> None:
    """Note each value (by field) that the files of a model have no way to write: its edge would refuse the site."""
    for field, value in values.items():
        if (problem := model.refusal(value)) is not None:
            problems.add(field, f"The files of {model.label} cannot hold this: it {problem}")


def matching_model(catalogue: Catalogue, vendor: str, model: str) -> DeviceModel | None:
    """The model of the catalogue that a phone means by its own words; None when none is meant, or more than one.

    Args:
        vendor: a vendor of the catalogue, as the edge recognised it.
        model: as the phone says it, such as `SIP-T54W` or `GRP2614`.
    """
    plugin = catalogue.plugins.get(vendor)
    said = _letters(model)
    if plugin is None or not said:
        return None
    found = [one for one in plugin.models.values() if said in (_letters(one.name), _letters(one.label))]
    if not found:
        found = [one for one in plugin.models.values() if said.endswith(_letters(one.name))]
    return found[0] if len(found) == 1 else None


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _view(catalogue: Catalogue, model: DeviceModel) -> ModelView:
    return ModelView(
        key=model.key,
        vendor=model.vendor,
        vendor_label=catalogue.plugins[model.vendor].label,
        name=model.name,
        label=model.label,
        lines=model.lines,
        https=model.https,
        groups=model.groups,
    )
