"""What phones get: golden files, and what must hold in each of them whatever the settings."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices import Value, load_catalogue
from edge_agent.provisioning.config import Account, DeviceConfig
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.render import Renderer
from tests.golden.devices import rendered, reviewed
from tests.support.site_phones import ADMIN_PASSWORD, PASSWORD, account, generic, key_values, site, yealink

CATALOGUE = load_catalogue()
RENDERER = Renderer(CATALOGUE)
YEALINKS = [model.name for model in CATALOGUE.models if model.vendor == "yealink"]


def keys_of(model: str) -> int:
    return CATALOGUE.model(f"yealink/{model}").repeats.get("line_keys", 0)


def written(model: str, found: dict[str, str], key: str) -> str:
    """What the file says for a key; older phones know none that begins with `static.`."""
    unprefixed = "unprefixed" in CATALOGUE.model(f"yealink/{model}").features
    return found[key.removeprefix("static.") if unprefixed else key]


def values_of(device: DeviceConfig, suffix: str = ".cfg") -> dict[str, str]:
    library = RENDERER.render(site(device))
    file = library.find(device.mac + suffix)
    assert file is not None
    return key_values(file.body)


def test_every_file_is_as_it_was_reviewed() -> None:
    assert rendered() == reviewed()


@pytest.mark.parametrize("model", YEALINKS)
def test_a_yealink_reads_back_its_account_and_every_other_one_is_disabled(model: str) -> None:
    lines = CATALOGUE.model(f"yealink/{model}").lines
    place = min(2, lines)
    found = values_of(yealink(model, accounts=(account(place),)))
    assert {found[f"account.{n}.enable"] for n in range(1, lines + 1) if n != place} <= {"0"}
    for n in set(range(1, lines + 1)) - {place}:
        assert {found[f"account.{n}.{key}"] for key in ("user_name", "auth_name", "password", "label")} == {""}
    assert f"account.{lines + 1}.enable" not in found
    expected = {
        "enable": "1",
        "user_name": "200",
        "auth_name": "line-200",
        "password": PASSWORD,
        "display_name": "Reception",
        "label": "Reception",
        "sip_server.1.address": "demo.tandem.test",
        "sip_server.1.port": "5060",
        "sip_server.1.transport_type": "0",
        "outbound_proxy.1.address": "192.0.2.10",
    }
    assert {key: found[f"account.{place}.{key}"] for key in expected} == expected
    assert written(model, found, "static.security.user_password") == f"admin:{ADMIN_PASSWORD}"


@pytest.mark.parametrize("model", [model for model in YEALINKS if keys_of(model) >= 4])
def test_a_yealinks_settings_come_back_from_its_file_as_they_were_set(model: str) -> None:
    own: dict[str, Value] = {
        "network/vlan": True,
        "network/vlan_id": 77,
        "time/time_format": "12",
        "calls/voicemail_number": "*98",
        "sip/transport": "tcp",
        "line_key/4/type": "speed_dial",
        "line_key/4/value": "0301234",
    }
    found = values_of(yealink(model, settings=own))
    expected = {
        "static.network.vlan.internet_port_enable": "1",
        "static.network.vlan.internet_port_vid": "77",
        "local_time.time_format": "0",
        "voice_mail.number.1": "*98",
        "account.1.sip_server.1.transport_type": "1",
        "linekey.4.type": "13",
        "linekey.4.value": "0301234",
    }
    assert {key: written(model, found, key) for key in expected} == expected


def test_a_yealink_boot_file_names_the_files_that_it_reads_next() -> None:
    library = RENDERER.render(site(yealink("t54w")))
    boot = library.find("805ec0000200.boot")
    assert boot is not None
    assert b'include:config "y000000000096.cfg"\ninclude:config "805ec0000200.cfg"\n' in boot.body
    assert boot.body.startswith(b"#!version:1.0.0.1\n")


def test_the_file_that_all_phones_of_a_model_share_holds_nothing_of_any() -> None:
    library = RENDERER.render(site(yealink("t54w"), yealink("t54w", "805ec0000201")))
    shared = library.find("y000000000096.cfg")
    assert shared is not None
    assert shared.device_id is None
    assert key_values(shared.body) == {}


def test_automatic_line_keys_stand_for_the_accounts_in_order() -> None:
    found = values_of(yealink("t54w", accounts=(account(1), account(2, "201", "Workshop"))))
    assert [found[f"linekey.{n}.type"] for n in (1, 2, 3, 27)] == ["15", "15", "0", "0"]
    assert [found[f"linekey.{n}.line"] for n in (1, 2)] == ["1", "2"]


def test_a_generic_phone_reads_back_its_account_and_the_others_are_off() -> None:
    found = values_of(generic(), ".conf")
    expected = {
        "enabled": "yes",
        "registrar": "192.0.2.10",
        "port": "5060",
        "transport": "udp",
        "domain": "demo.tandem.test",
        "username": "201",
        "auth_username": "line-201",
        "password": PASSWORD,
        "display_name": "Workshop",
    }
    assert {key: found[f"account.1.{key}"] for key in expected} == expected
    assert {found[f"account.{n}.enabled"] for n in range(2, 9)} == {"no"}
    assert "admin_password" not in found


@pytest.mark.parametrize("password", ["a\r\naccount.2.enable = 1", "a\nb", " padded", "\u2028x", "\x00"])
@pytest.mark.parametrize("device", [yealink(), generic()])
def test_a_password_that_would_break_out_of_its_line_is_refused_and_never_shown(
    device: DeviceConfig, password: str
) -> None:
    broken = DeviceConfig(device.device_id, device.mac, device.model, accounts=(account(password=password),))
    with pytest.raises(ConfigRefused) as caught:
        Renderer(CATALOGUE).render(site(broken))
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"device {device.mac}: a value ")
    assert password not in str(caught.value)


def test_a_word_that_a_yealink_reads_as_no_value_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="a value has a special meaning for the phone"):
        Renderer(CATALOGUE).render(site(yealink(accounts=(account(password="%NULL%"),))))


_text = st.text(max_size=30)


@settings(max_examples=120, deadline=None)
@given(_text, _text, _text, st.sampled_from([yealink("t41s"), generic()]))
def test_no_value_ever_adds_a_line_or_changes_another_key(
    name: str, label: str, password: str, device: DeviceConfig
) -> None:
    given_account = account(1, "200", name, password)
    whole = Account(1, "200", "line-200", given_account.password, name, given_account.registrar, label)
    changed = DeviceConfig(device.device_id, device.mac, device.model, accounts=(whole,))
    suffix = ".conf" if device.model == "generic/sip" else ".cfg"
    try:
        library = RENDERER.render(site(changed))
    except ConfigRefused:
        return
    file = library.find(device.mac + suffix)
    assert file is not None
    found = key_values(file.body)
    assert found["account.1.password"] == password
    plain = DeviceConfig(device.device_id, device.mac, device.model, accounts=(account(),))
    reference = values_of(plain, suffix)
    free = {f"account.1.{key}" for key in ("password", "display_name", "label")}
    assert {k: v for k, v in found.items() if k not in free} == {k: v for k, v in reference.items() if k not in free}
