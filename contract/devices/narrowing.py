"""From a vendor's definitions to one model's settings: conditions decided, groups repeated, defaults checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from contract.devices.grammar import GroupDefinition, SettingDefinition, parse_value
from contract.devices.model import Group, Setting, Value
from contract.devices.problems import Problem
from contract.devices.resolution import value_problem

MAX_SETTINGS: Final = 5_000
"""How many settings one model may have, repeated groups written out."""


def narrow(
    groups: Sequence[GroupDefinition],
    model: str,
    features: frozenset[str],
    repeats: Mapping[str, int],
    file: str,
) -> tuple[tuple[Group, ...], tuple[Problem, ...]]:
    """The groups that a model has.

    Args:
        groups: every group of the vendor's settings.xml.
        model: the model's name; with `features` it is what conditions are matched against.
        features: the model's features.
        repeats: how often repeated groups exist on this model.
        file: name of the settings.xml, for problems.

    Returns:
        The groups without those that no setting is left of, and what is wrong with them.
    """
    narrowing = _Narrowing(model, features | {model}, file)
    found: list[Group] = []
    for group in groups:
        if not group.condition.holds(narrowing.defines):
            continue
        if group.repeat is not None and group.repeat not in repeats:
            narrowing.problem(group.line, f"model {model} does not say how many {group.repeat} it has")
            continue
        indexes: Sequence[int | None] = range(1, repeats[group.repeat] + 1) if group.repeat else [None]
        settings = tuple(narrowing.settings(group, indexes))
        if settings:
            found.append(Group(group.name, group.label, group.help, settings))
    if sum(len(group.settings) for group in found) > MAX_SETTINGS:
        narrowing.problem(0, f"model {model} has more than {MAX_SETTINGS} settings")
    return tuple(found), tuple(narrowing.problems)


class _Narrowing:
    def __init__(self, model: str, defines: frozenset[str], file: str) -> None:
        self.defines = defines
        self.problems: list[Problem] = []
        self._model = model
        self._file = file

    def problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(self._file, line, text))

    def settings(self, group: GroupDefinition, indexes: Sequence[int | None]) -> Iterator[Setting]:
        kept = [setting for setting in group.settings if setting.condition.holds(self.defines)]
        checked = [(setting, self._template(setting)) for setting in kept]
        for index in indexes:
            for definition, setting in checked:
                if setting is not None:
                    yield _placed(setting, group.name, definition.name, index)

    def _template(self, definition: SettingDefinition) -> Setting | None:
        """The setting, not yet placed in its group."""
        default = self._default(definition)
        if default is None:
            return None
        setting = _setting(definition, default, self.defines)
        if (message := value_problem(setting, default)) is not None:
            self.problem(definition.line, f"the default for model {self._model} {message}")
        return setting

    def _default(self, definition: SettingDefinition) -> Value | None:
        for default in definition.defaults:
            if default.condition.holds(self.defines):
                value = parse_value(definition.type, default.text)
                if value is None:
                    self.problem(default.line, f"the default {default.text!r} is no {definition.type}")
                return value
        return None


def _setting(definition: SettingDefinition, default: Value, defines: frozenset[str]) -> Setting:
    return Setting(
        path=definition.name,
        type=definition.type,
        default=default,
        label=definition.label,
        help=definition.help,
        advanced=definition.advanced,
        parameter=definition.parameter,
        minimum=definition.minimum,
        maximum=definition.maximum,
        max_length=definition.max_length,
        pattern=definition.pattern,
        options=tuple(each.option for each in definition.options if each.condition.holds(defines)),
        written_true=definition.written_true,
        written_false=definition.written_false,
    )


def _placed(setting: Setting, group: str, name: str, index: int | None) -> Setting:
    place = f"{group}/{name}" if index is None else f"{group}/{index}/{name}"
    parameter = setting.parameter
    if parameter is not None and index is not None:
        parameter = parameter.replace("{index}", str(index))
    return replace(setting, path=place, parameter=parameter)
