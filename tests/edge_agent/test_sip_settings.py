"""Every bound, timer and rule of the SIP process is a setting, or there is a reason why not."""

from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from edge_agent.settings import SettingsError, SipSettings, load_settings, setting_names, settings_from
from edge_agent.sip.config import LockoutRules, OverloadRules, SipConfig
from edge_agent.sip.message import Limits
from edge_agent.sip.transaction import Timers
from edge_agent.sip_settings import (
    CallSettings,
    LimitSettings,
    LockoutSettings,
    OverloadSettings,
    RegistrarSettings,
    Section,
    TimerSettings,
    allowed_in,
)
from edge_agent.sip_view import sip_config
from tests.edge_agent.test_views import prepare
from tools.write_settings import pages

SECTIONS: dict[type[Any], tuple[type[Section], ...]] = {
    Limits: (LimitSettings,),
    Timers: (TimerSettings,),
    LockoutRules: (LockoutSettings,),
    OverloadRules: (OverloadSettings,),
    SipConfig: (RegistrarSettings, CallSettings),
}
NO_SETTING = {
    "OverloadRules.full_batch": "it is how many datagrams the transport reads at once",
    **{f"SipConfig.{name}": "a section of its own" for name in ("overload", "lockout", "limits", "timers")},
    **{
        f"SipConfig.{name}": "the snapshot says it"
        for name in (
            "domain",
            "realm",
            "plan",
            "credentials",
            "former_domains",
            "digest_algorithms",
            "administrators",
            "emergency_numbers",
            "device_locations",
            "lists",
            "notified_of_emergencies",
            "peers",
            "from_policy",
            "media",
            "remote_tls_only",
            "qualify_phones",
            "qualify_phones_seconds",
            "qualify_gateways_seconds",
        )
    },
    **{
        f"SipConfig.{name}": "what the site's processes and addresses are"
        for name in ("hides_replaces", "hosts", "public_host", "services", "trusted", "trunks_at")
    },
    "SipConfig.state": "what users changed at the site",
}
NAMES = [name for name, field in setting_names().items() if allowed_in(field)]
"""Settings that are declared with what may stand in them."""

RANGED = [name for name in NAMES if setting_names()[name].annotation in (int, float)]


def _fields() -> list[tuple[type[Any], Field[Any]]]:
    return [(kind, field) for kind in SECTIONS for field in fields(kind) if field.init]


@pytest.mark.parametrize(
    ("kind", "field"), _fields(), ids=lambda one: getattr(one, "name", getattr(one, "__name__", ""))
)
def test_every_field_is_a_setting_with_the_same_default_or_there_is_a_reason(
    kind: type[Any], field: Field[Any]
) -> None:
    declared = [section.model_fields[field.name] for section in SECTIONS[kind] if field.name in section.model_fields]
    if f"{kind.__name__}.{field.name}" in NO_SETTING:
        assert not declared
        return
    (setting,) = declared
    default = field.default
    assert setting.default == (tuple(default) if isinstance(default, frozenset) else default)


def test_there_is_no_setting_and_no_reason_that_nothing_reads() -> None:
    read = {f"{kind.__name__}.{field.name}" for kind, field in _fields()}
    declared = {
        f"{kind.__name__}.{name}" for kind, found in SECTIONS.items() for one in found for name in one.model_fields
    }
    assert declared | set(NO_SETTING) == read


def test_what_a_machine_sets_is_what_registrar_and_proxy_go_by() -> None:
    settings = settings_from(
        {
            "sip": {
                "limits": {"headers": 100},
                "timers": {"t1": 0.25},
                "lockout": {"lock_seconds": 60},
                "overload": {"retry_after_seconds": [2, 3]},
                "registrar": {"service_route": True, "flow_timer_seconds": 60},
                "calls": {"session_expires": 1800, "foreign_hosts": ["itsp.example"]},
            }
        },
        {"TANDEM_EDGE_SIP_CALLS_SERIAL_RING_SECONDS": "12"},
    )
    config = sip_config(prepare(), settings.sip)
    assert (config.limits.headers, config.timers.t1, config.lockout.lock_seconds) == (100, 0.25, 60.0)
    assert (config.overload.retry_after_seconds, config.service_route) == ((2, 3), True)
    assert (config.flow_timer_seconds, config.session_expires, config.serial_ring_seconds) == (60, 1800, 12.0)
    assert config.foreign_hosts == {"itsp.example"}
    assert config.problems() == []


def test_without_a_file_everything_is_as_it_is_declared() -> None:
    config = sip_config(prepare(), SipSettings())
    assert (config.limits, config.timers, config.lockout, config.overload) == (
        Limits(),
        Timers(),
        LockoutRules(),
        OverloadRules(),
    )


def refused(content: dict[str, Any], environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        settings_from({"sip": content}, environ or {})
    return caught.value.problems


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"limits": {"headers": 5}}, "sip.limits.headers = 5: has to be 32 to 4096 lines"),
        ({"timers": {"timer_c": 180}}, "sip.timers.timer_c = 180: has to be 181 to 3600 seconds"),
        ({"timers": {"t1": float("nan")}}, "sip.timers.t1 = nan: has to be 0.1 to 4 seconds"),
        ({"timers": {"t1": 3, "t2": 2}}, "sip.timers: t1 = 3.0 is longer than t2 = 2.0"),
        (
            {"lockout": {"lock_seconds": "long"}},
            "sip.lockout.lock_seconds = 'long': has to be 1 to 86400 seconds",
        ),
        (
            {"overload": {"retry_after_seconds": [5, 900]}},
            "sip.overload.retry_after_seconds = 900: has to be two of 1 to 600 seconds",
        ),
        (
            {"overload": {"retry_after_seconds": [9, 5]}},
            "sip.overload: retry_after_seconds = [9, 5]: the first is later than the last",
        ),
        (
            {"registrar": {"min_expires": 4000}},
            "sip.registrar: min_expires = 4000, default_expires = 3600 and max_expires = 3600 are not in order",
        ),
        (
            {"registrar": {"service_route": "perhaps"}},
            "sip.registrar.service_route = 'perhaps': has to be true or false",
        ),
        (
            {"calls": {"session_expires": 60}},
            "sip.calls: session_expires = 60: has to be 0 or from 90 to 86400 seconds",
        ),
        (
            {"calls": {"session_expires": 100, "min_session_expires": 200}},
            "sip.calls: session_expires = 100 is less than min_session_expires = 200",
        ),
        (
            {"calls": {"foreign_hosts": ["A:5060"]}},
            "sip.calls.foreign_hosts = 'A:5060': has to be up to 64 names in lower case or addresses, without ports",
        ),
        ({"limits": {"hedaers": 50}}, "sip.limits.hedaers: there is no such setting; sip.limits.headers is meant?"),
    ],
)
def test_what_is_not_taken_is_named_with_its_value_and_range(content: dict[str, Any], problem: str) -> None:
    assert refused(content) == (problem,)


def test_the_environment_is_refused_in_the_same_words() -> None:
    (problem,) = refused({}, {"TANDEM_EDGE_SIP_LIMITS_NONCES": "7"})
    assert problem == "sip.limits.nonces = '7': has to be 100 to 1000000 nonces"


@pytest.mark.parametrize("name", RANGED)
def test_every_setting_refuses_what_is_just_beyond_its_range(name: str) -> None:
    section, _, short = name.removeprefix("sip.").rpartition(".")
    least, most = map(float, allowed_in(setting_names()[name]).split(" to "))
    for beyond in (least - 1, most + 1):
        assert any(one.startswith(f"{name} = ") for one in refused({section: {short: beyond}}))


def test_the_page_and_the_example_file_are_written_from_the_declarations() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m tools.write_settings"


def test_the_page_has_every_setting_that_has_a_range() -> None:
    page = Path("docs/settings.md").read_text(encoding="utf-8")
    assert all(f"`{name.rpartition('.')[2]}`" in page for name in NAMES)
    assert load_settings(Path("edge_agent/edge.example.toml"), {}).sip == SipSettings()
