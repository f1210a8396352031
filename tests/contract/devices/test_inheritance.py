"""What a settings.xml takes over from the common settings, and within itself."""

import pytest

from contract.devices.grammar import parse_settings
from contract.devices.loading import shipped_common
from contract.devices.model import Setting
from contract.devices.narrowing import narrow
from contract.devices.problems import PluginProblems


def settings_of(body: str, model: str = "t1") -> dict[str, Setting]:
    definitions = parse_settings(body.encode(), "acme/settings.xml", shipped_common().settings)
    groups, problems = narrow(definitions, model, frozenset(), {"keys": 2}, "acme/settings.xml")
    assert not problems
    return {setting.path: setting for group in groups for setting in group.settings}


def problems_of(body: str) -> list[str]:
    with pytest.raises(PluginProblems) as caught:
        parse_settings(body.encode(), "acme/settings.xml", shipped_common().settings)
    return [str(problem) for problem in caught.value.problems]


def test_a_setting_of_a_common_name_needs_only_the_vendors_parameter() -> None:
    found = settings_of(
        '<settings extends="common"><group name="time"><setting name="ntp_server" parameter="P30"/></group></settings>'
    )
    assert list(found) == ["time/ntp_server"]
    server = found["time/ntp_server"]
    assert (server.parameter, server.label, server.default) == ("P30", "Time server", "pool.ntp.org")
    assert server.pattern is not None


def test_what_is_said_wins_over_what_is_taken_over() -> None:
    found = settings_of(
        '<settings extends="common"><group name="sip" label="Signalling">'
        '<setting name="registration_expires" default="180" max="3600" parameter="a"/></group></settings>'
    )["sip/registration_expires"]
    assert (found.default, found.minimum, found.maximum) == (180, 60, 3600)


def test_an_option_that_is_only_written_otherwise_keeps_its_label() -> None:
    found = settings_of(
        '<settings extends="common"><group name="audio"><setting name="dtmf" parameter="d">'
        '<option value="rfc4733" written="0"/><option value="info" written="1"/></setting></group></settings>'
    )["audio/dtmf"]
    assert [(option.value, option.label, option.written) for option in found.options] == [
        ("rfc4733", "RFC 4733 events", "0"),
        ("info", "SIP INFO", "1"),
    ]


def test_a_group_like_another_has_all_its_settings_and_may_change_some() -> None:
    found = settings_of(
        '<settings><group name="a" label="A" if="t1"><setting name="x" type="integer" label="X" default="1" max="9"/>'
        '<setting name="y" type="string" label="Y" default="" unless="t1"/></group>'
        '<group name="b" like="a" label="B"><setting name="x" default="2"/>'
        '<setting name="z" like="x" label="Z"/></group></settings>',
        model="t2",
    )
    assert list(found) == ["b/x", "b/y", "b/z"]
    assert (found["b/x"].default, found["b/x"].maximum, found["b/z"].default) == (2, 9, 2)


def test_a_setting_like_one_of_another_group_takes_it_over() -> None:
    found = settings_of(
        '<settings><group name="a" label="A"><setting name="x" type="integer" label="X" default="1"/></group>'
        '<group name="b" label="B"><setting name="q" like="a/x" label="Q"/></group></settings>'
    )
    assert (found["b/q"].type, found["b/q"].label) == ("integer", "Q")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<settings extends="x"><group name="a" label="A"/></settings>', ":1: there are no settings 'x' to extend"),
        ('<settings>\n<group name="a" like="b" label="A"/></settings>', ":2: like: there is no group 'b' before"),
        (
            '<settings>\n<group name="a" label="A">\n<setting name="x" like="b/c"/></group></settings>',
            ":3: like: there is no setting 'b/c' before",
        ),
        (
            '<settings extends="common">\n<group name="time">\n<setting name="ntp_server" min="3"/></group></settings>',
            ":3: min is only for type integer",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_named_by_file_and_line(body: str, expected: str) -> None:
    assert any(problem.startswith(f"acme/settings.xml{expected}") for problem in problems_of(body)), problems_of(body)
