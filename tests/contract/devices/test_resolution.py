"""A device's own settings are checked in full, and win over the model's defaults."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices import SettingsRefused, check_settings, load_catalogue, resolve

MODEL = load_catalogue().model("yealink/t54w")


def test_without_settings_everything_is_the_models_default() -> None:
    resolved = resolve(MODEL, {})
    assert resolved.keys() == MODEL.settings.keys()
    assert {each.origin for each in resolved.values()} == {"default"}


def test_a_devices_own_setting_wins_and_says_so() -> None:
    resolved = resolve(MODEL, {"time/time_format": "12", "network/vlan": True, "network/vlan_id": 42})
    assert (resolved["time/time_format"].value, resolved["time/time_format"].origin) == ("12", "device")
    assert [resolved[path].written for path in ("time/time_format", "network/vlan", "network/vlan_id")] == [
        "0",
        "1",
        "42",
    ]
    assert resolved["time/date_format"].origin == "default"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("time/nothing", "x", "is not a setting of Yealink SIP-T54W"),
        ("screen/contrast", 3, "is not a setting of Yealink SIP-T54W"),
        ("line_key/28/type", "blf", "is not a setting of Yealink SIP-T54W"),
        ("network/vlan_id", 0, "must be at least 1"),
        ("network/vlan_id", 4095, "must be at most 4094"),
        ("network/vlan_id", "42", "must be a whole number"),
        ("network/vlan_id", True, "must be a whole number"),
        ("network/vlan", 1, "must be true or false"),
        ("time/time_format", "25", "must be one of 12, 24"),
        ("time/ntp_server", "a b", "must match [0-9A-Za-z.:-]+"),
        ("time/ntp_server", "x" * 129, "must be at most 128 characters"),
        ("line_key/1/label", "a\r\nb = c", "must be one line of printable characters"),
        ("line_key/1/label", "a\u2028b", "must be one line of printable characters"),
        ("line_key/1/label", " a", "must not begin or end with a space"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_reason(path: str, value: str | int, message: str) -> None:
    assert [str(problem) for problem in check_settings(MODEL, {path: value})] == [f"{path}: {message}"]
    with pytest.raises(SettingsRefused):
        resolve(MODEL, {path: value})


def test_every_problem_is_reported_at_once() -> None:
    found = check_settings(MODEL, {"network/vlan_id": 0, "time/nothing": 1, "network/vlan": "x"})
    assert {problem.path for problem in found} == {"network/vlan_id", "time/nothing", "network/vlan"}


_values = st.text(max_size=40) | st.integers(-(2**40), 2**40) | st.booleans()


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(MODEL.settings)) | st.text(max_size=10), _values, max_size=4))
def test_whatever_is_set_is_either_refused_or_written_on_one_line(overrides: dict[str, str | int | bool]) -> None:
    if check_settings(MODEL, overrides):
        return
    for each in resolve(MODEL, overrides).values():
        assert each.written.isprintable()
        assert each.written == each.written.strip()
