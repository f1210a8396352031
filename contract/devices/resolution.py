"""From what is set on each level to the value of every setting of a device, with where each came from.

A device's own value wins over its groups (the heavier group first), over its site, over its tenant, over the codes of
the site's dial plan, over the model's default. What is set on the levels above devices is meant for many models: by
scope `*` for every model that has the setting, by `<vendor>` for that vendor's, by `<vendor>/<model>` for one; on one
level the narrower scope wins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from contract.devices.model import Catalogue, DeviceModel, Setting, Value

Origin = Literal["default", "dial_plan", "tenant", "site", "group", "device"]
LevelSettings = Mapping[str, Mapping[str, Value]]
"""Scope → path → value."""
EVERY: Final = "*"
"""The scope of every model."""
VERSION_SETTING: Final = "firmware/version"
"""The setting by which a device says which firmware version its files are for."""

_TYPE_NAMES = {"string": "text", "integer": "a whole number", "boolean": "true or false", "enum": "one of the options"}


@dataclass(frozen=True, slots=True)
class Level:
    """What is set on one level above the device."""

    origin: Origin
    settings: LevelSettings
    source: str = ""
    """Which group, where there are several of the kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """One value that a setting could have, and who says so."""

    origin: Origin
    value: Value
    source: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One setting's value for one device."""

    setting: Setting
    value: Value
    origin: Origin
    """Where the value came from."""
    source: str = ""
    """Which group it came from."""
    others: tuple[Step, ...] = field(default=())
    """What the levels below say, the strongest first and the default last; empty when only the default speaks."""

    @property
    def written(self) -> str:
        """The value in the vendor's words."""
        return self.setting.written(self.value)


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """Why a setting cannot have the value given."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SettingsRefused(ValueError):
    """Settings that a model does not take; `problems` names each."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def value_problem(setting: Setting, value: Value) -> str | None:
    """What is wrong with `value` for `setting`, for people; None when nothing is. Never repeats the value."""
    match setting.type:
        case "boolean":
            right_type = isinstance(value, bool)
        case "integer":
            right_type = isinstance(value, int) and not isinstance(value, bool)
        case "string" | "enum":
            right_type = isinstance(value, str)
    if not right_type:
        return f"must be {_TYPE_NAMES[setting.type]}"
    if setting.type == "enum" and value not in (options := [option.value for option in setting.options]):
        return f"must be one of {', '.join(options)}"
    if isinstance(value, str):
        return _text_problem(setting, value)
    if setting.minimum is not None and value < setting.minimum:
        return f"must be at least {setting.minimum}"
    if setting.maximum is not None and value > setting.maximum:
        return f"must be at most {setting.maximum}"
    return None


def _text_problem(setting: Setting, value: str) -> str | None:
    if len(value) > setting.max_length:
        return f"must be at most {setting.max_length} characters"
    if any(not character.isprintable() for character in value):
        return "must be one line of printable characters"
    if value != value.strip():
        return "must not begin or end with a space"
    if value and setting.pattern is not None and not setting.pattern.fullmatch(value):
        return f"must match {setting.pattern.pattern}"
    return None


def check_settings(model: DeviceModel, settings: Mapping[str, Value]) -> tuple[SettingProblem, ...]:
    """Every problem with a device's own `settings`, whichever firmware version it has."""
    return tuple(_problems(model, settings))


def check_level(catalogue: Catalogue, settings: LevelSettings) -> tuple[SettingProblem, ...]:
    """Every problem with what is set on a level above devices; each is named `<scope>/<path>`."""
    return tuple(_level_problems(catalogue, settings))


def overrides(model: DeviceModel, settings: LevelSettings) -> dict[str, Value]:
    """What a level says to a model; a setting that the model does not have, or not with this value, is not for it."""
    return {
        path: value
        for scope in (EVERY, model.vendor, model.key)
        for path, value in settings.get(scope, {}).items()
        if _setting_problem(model, path, value) is None
    }


def resolve(model: DeviceModel, own: Mapping[str, Value], levels: Sequence[Level] = ()) -> dict[str, Resolved]:
    """The value of every setting of `model`, by path, in the model's order.

    Args:
        model: the device's model; which firmware version it has is a setting itself.
        own: what the device sets itself.
        levels: those above the device, the weakest first.

    Raises:
        SettingsRefused: when `check_settings` finds a problem with `own`.
    """
    if problems := check_settings(model, own):
        raise SettingsRefused(problems)
    said: list[tuple[Origin, str, Mapping[str, Value]]] = [
        *((level.origin, level.source, overrides(model, level.settings)) for level in levels),
        ("device", "", own),
    ]
    wanted = next((values[VERSION_SETTING] for _, _, values in reversed(said) if VERSION_SETTING in values), "")
    return {path: _resolved(setting, said) for path, setting in model.at(str(wanted)).settings.items()}


def _resolved(setting: Setting, said: Sequence[tuple[Origin, str, Mapping[str, Value]]]) -> Resolved:
    steps = [
        Step(origin, values[setting.path], source)
        for origin, source, values in reversed(said)
        if setting.path in values and value_problem(setting, values[setting.path]) is None
    ]
    if not steps:
        return Resolved(setting, setting.default, "default")
    first = steps[0]
    return Resolved(setting, first.value, first.origin, first.source, (*steps[1:], Step("default", setting.default)))


def _problems(model: DeviceModel, settings: Mapping[str, Value]) -> Iterator[SettingProblem]:
    for path, value in settings.items():
        if (message := _setting_problem(model, path, value)) is not None:
            yield SettingProblem(path, message)


def _setting_problem(model: DeviceModel, path: str, value: Value) -> str | None:
    """What is wrong with a value in every firmware version of the model; None when one takes it."""
    candidates = model.every_setting.get(path)
    if not candidates:
        return f"is not a setting of {model.label}"
    found = [value_problem(setting, value) or _unwritten(model, setting, value) for setting in candidates]
    return None if None in found else found[0]


def _unwritten(model: DeviceModel, setting: Setting, value: Value) -> str | None:
    return model.refusal(setting.written(value)) if isinstance(value, str) else None


def _level_problems(catalogue: Catalogue, settings: LevelSettings) -> Iterator[SettingProblem]:
    for scope, values in settings.items():
        models = catalogue.in_scope(scope)
        if not models:
            yield SettingProblem(scope, "is neither * nor a vendor nor a model of the device plug-ins")
            continue
        for path, value in values.items():
            having = [model for model in models if path in model.every_setting]
            if not having:
                yield SettingProblem(f"{scope}/{path}", "is not a setting of any of these models")
            refusing = [(model, text) for model in having if (text := _setting_problem(model, path, value)) is not None]
            if refusing:
                model, text = refusing[0]
                more = f" (and {len(refusing) - 1} other models)" if len(refusing) > 1 else ""
                yield SettingProblem(f"{scope}/{path}", f"{text}, for {model.label}{more}")
