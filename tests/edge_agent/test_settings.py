"""Settings are complete and valid, or every problem is named at once."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.codecs import CodecName
from edge_agent.settings import (
    EXAMPLE_FILE,
    Settings,
    SettingsError,
    environment_name,
    load_settings,
    service_manager,
    setting_names,
    settings_from,
)

NAMES = st.sampled_from([*(name.rpartition(".")[2] for name in setting_names()), "sip", "log", "media", "colour"])
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def written(folder: Path, text: str) -> Path:
    file = folder / "edge.toml"
    file.write_text(text)
    return file


def problems_of(file: Path | None, environ: dict[str, str] | None = None, **more: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ or {}, **more)
    return caught.value.problems


def leaves(content: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{key}.")
        else:
            yield before + key


def test_the_example_file_holds_the_defaults() -> None:
    assert load_settings(EXAMPLE_FILE, {}) == Settings()


def test_the_example_file_documents_every_setting() -> None:
    content = tomllib.loads(EXAMPLE_FILE.read_text())
    assert set(leaves(content)) == set(setting_names())


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[sip]\nudp_port = 5061\ntcp_port = 5062\n")
    settings = load_settings(file, {"TANDEM_EDGE_SIP_UDP_PORT": "0", "TANDEM_EDGE_SIP_HOSTS": "pbx.example,192.0.2.1"})
    assert (settings.sip.udp_port, settings.sip.tcp_port) == (0, 5062)
    assert settings.sip.hosts == ("pbx.example", "192.0.2.1")


def test_ports_of_sip_can_be_switched_off_and_a_certificate_needs_its_key(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, '[sip]\ntls_port = "off"\n'), {"TANDEM_EDGE_SIP_WSS_PORT": "7443"})
    assert (settings.sip.tls_port, settings.sip.wss_port) == ("off", 7443)
    problems = problems_of(written(tmp_path, '[sip]\ntls_certificate = "a.pem"\n'))
    assert any("tls_key" in problem for problem in problems)


def test_codecs_are_named_in_their_order_each_once_and_one_of_them_everybody_knows(tmp_path: Path) -> None:
    settings = load_settings(None, {"TANDEM_EDGE_MEDIA_CODECS": "pcma,g722"})
    assert settings.media.codecs == (CodecName.PCMA, CodecName.G722)
    for wrong, why in (('["g722"]', "pcmu or pcma"), ('["pcmu", "pcmu"]', "twice"), ('["pcmu", "g729"]', "'g722'")):
        (problem,) = problems_of(written(tmp_path, f"[media]\ncodecs = {wrong}\n"))
        assert why in problem


def test_calls_to_voice_services_are_bounded_and_have_ports(tmp_path: Path) -> None:
    assert load_settings(None, {"TANDEM_EDGE_MEDIA_MOST_CALLS": "500"}).media.most_calls == 500
    few = "[media]\nrtp_first_port = 20001\nrtp_last_port = 20120\n"
    assert load_settings(written(tmp_path, few), {}).media.most_calls == 50
    (problem,) = problems_of(written(tmp_path, few + "most_calls = 60\n"))
    assert "most_calls = 60 needs 120 ports" in problem
    assert "rtp_first_port 20001 to rtp_last_port 20120 are enough for 59" in problem
    for wrong in ("0", "501", "many"):
        (problem,) = problems_of(written(tmp_path, f'[media]\nmost_calls = "{wrong}"\n'))
        assert problem.startswith("media.most_calls")


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'state_dir = "/srv/edge"\n')
    assert load_settings(None, {"TANDEM_EDGE_SETTINGS": str(file)}).state_dir == Path("/srv/edge")


def test_every_setting_has_an_environment_variable_of_its_own() -> None:
    assert len({environment_name(name) for name in setting_names()}) == len(setting_names())


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    file = written(tmp_path, 'colour = "red"\n[sip]\nudp_prot = 5060\ntcp_port = 70000\n[log]\nlevel = "loud"\n')
    problems = problems_of(file, {"TANDEM_EDGE_SPI_UDP_PORT": "1"})
    assert len(problems) == 5
    assert any("colour" in p for p in problems)
    assert "sip.udp_prot: there is no such setting; sip.udp_port is meant?" in problems
    assert any(p.startswith("sip.tcp_port") for p in problems)
    assert any(p.startswith("log.level") for p in problems)
    assert any(p.startswith("TANDEM_EDGE_SPI_UDP_PORT") for p in problems)


def test_a_renamed_setting_is_refused_with_its_present_name(tmp_path: Path) -> None:
    file = written(tmp_path, "[sip]\nport = 5060\n")
    assert problems_of(file, renamed={"sip.port": "sip.udp_port"}) == ("sip.port: is called sip.udp_port now",)


@pytest.mark.parametrize("text", ["sip = 5", "[state_dir]\nx = 1", "[sip.more]\nx = 1", "[colour]\nred = 1"])
def test_a_wrong_shape_is_a_problem_not_a_crash(tmp_path: Path, text: str) -> None:
    assert problems_of(written(tmp_path, text), {"TANDEM_EDGE_SIP_UDP_PORT": "1"})


def test_a_file_that_is_not_toml_or_not_there_is_named(tmp_path: Path) -> None:
    assert "is not TOML" in problems_of(written(tmp_path, "sip = ["))[0]
    assert "cannot be read" in problems_of(tmp_path / "absent.toml")[0]


def test_the_service_manager_is_known_by_its_environment() -> None:
    told = service_manager({"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"})
    assert (told.notify_socket, told.watchdog_seconds) == ("/run/notify", 30.0)
    assert service_manager({"WATCHDOG_USEC": "soon"}).watchdog_seconds is None


@given(
    content=st.dictionaries(NAMES, VALUES, max_size=6),
    variables=st.dictionaries(NAMES, st.text(max_size=20), max_size=3),
)
def test_any_content_gives_settings_or_the_one_error(content: dict[str, object], variables: dict[str, str]) -> None:
    environ = {f"TANDEM_EDGE_{name.upper()}": value for name, value in variables.items()}
    try:
        assert isinstance(settings_from(content, environ), Settings)
    except SettingsError as error:
        assert error.problems  # noqa: PT017 - either is right, and which one is not known beforehand
