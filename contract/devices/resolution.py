"""From a device's own settings to the value of every setting, with where each came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from contract.devices.model import DeviceModel, Setting, Value

Origin = Literal["default", "device"]

_TYPE_NAMES = {"string": "text", "integer": "a whole number", "boolean": "true or false", "enum": "one of the options"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """One setting's value for one device."""

    setting: Setting
    value: Value
    origin: Origin
    """Where the value came from."""

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


def _problems(model: DeviceModel, settings: Mapping[str, Value]) -> Iterator[SettingProblem]:
    for path, value in settings.items():
        setting = model.settings.get(path)
        if setting is None:
            yield SettingProblem(path, f"is not a setting of {model.label}")
        elif (message := value_problem(setting, value)) is not None:
            yield SettingProblem(path, message)


def check_settings(model: DeviceModel, settings: Mapping[str, Value]) -> tuple[SettingProblem, ...]:
    """Every problem with `settings` for `model`; none when they can be rendered."""
    return tuple(_problems(model, settings))


def resolve(model: DeviceModel, overrides: Mapping[str, Value]) -> dict[str, Resolved]:
    """The value of every setting of `model`, by path, in the model's order.

    Args:
        model: the device's model.
        overrides: what the device sets itself; an empty mapping gives the defaults.

    Raises:
        SettingsRefused: when `check_settings` finds a problem.
    """
    if problems := check_settings(model, overrides):
        raise SettingsRefused(problems)
    return {
        path: Resolved(setting, overrides[path], "device")
        if path in overrides
        else Resolved(setting, setting.default, "default")
        for path, setting in model.settings.items()
    }
