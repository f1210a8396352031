"""What must hold for every model of every vendor, whatever people write into names; read back by other readers."""

import re
from dataclasses import replace
from importlib.resources import files

import pytest
from pydantic import SecretStr

from contract.devices import DeviceModel, load_catalogue
from edge_agent.provisioning.config import Account, DeviceConfig, Registrar
from edge_agent.provisioning.errors import ConfigRefused
from edge_agent.provisioning.render import Renderer
from tests.support.phone_formats import read
from tests.support.site_phones import ADMIN_PASSWORD, PASSWORD, REGISTRAR, phone, site

CATALOGUE = load_catalogue()
RENDERER = Renderer(CATALOGUE)
MAC = "02000000ab01"
NAME = "Reception"
NUMBER = "8172635"
LINE = Account(1, NUMBER, f"line-{NUMBER}", SecretStr(PASSWORD), NAME, REGISTRAR)

FORGETTING = {
    "generic": "its format says that `enabled = no` alone forgets an account",
    "gigaset": "`DeleteNotProvisionedHS` makes it forget each handset that is not named",
    "patton": "what is loaded replaces all that it was told before",
}
"""Vendors whose phones forget an account without its keys being written empty, and why."""
NAMELESS = {"algo", "avaya", "patton"}
"""Vendors whose devices have no parameter for a caller's name that is confirmed."""

every_model = pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.key)

EVIL_NAMES = [
    '"/><P2>x</P2><a b="',
    "]]><!-- -->",
    "&amp;&lt;&#10;<&\"'>",
    "x\r\nSET FORCE_SIP_PASSWORD 1\nsip.u2 = 1\nsip line2 password: x",
    "'; # $(reboot) `reboot` ${x} $USER | !",
    "{{ 7*7 }}{% raw %}",
    'a\\" b\\',
    '"',
    "#\u2028#\x00#",
]
EVIL_PASSWORDS = ["p\"<&'>x", "a b", "p#x", "p;x", "p\\x", "$p", "%p", "{p}", "a\r\nb", '"', "p:x=y", "!p", "p|q"]


def values_of(model: DeviceModel, device: DeviceConfig) -> dict[str, str]:
    """What a phone reads of all files of its own, by file and key."""
    library = RENDERER.render(site(device))
    found: dict[str, str] = {}
    for spec in model.files:
        name = spec.name.replace("{mac}", device.mac).replace("{MAC}", device.mac.upper())
        file = library.find(name)
        assert file is not None, name
        assert (file.device_id is None) == (spec.scope != "device")
        values = read(model.vendor, spec.syntax, file.body)
        found |= {f"{name}: {key}": value for key, value in values.items()}
    return found


def line(name: str = NAME, password: str = PASSWORD) -> Account:
    return replace(LINE, display_name=name, password=SecretStr(password))


def one_line_phone(model: DeviceModel, account: Account = LINE) -> DeviceConfig:
    return phone(model.key, MAC, accounts=(account,))


@every_model
def test_a_phone_reads_back_its_account(model: DeviceModel) -> None:
    found = values_of(model, one_line_phone(model))
    values = set(found.values())
    assert {f"line-{NUMBER}", PASSWORD} <= values
    assert NAME in values or model.vendor in NAMELESS
    for part in (NUMBER, REGISTRAR.host, REGISTRAR.domain, str(REGISTRAR.port)):
        assert any(part in value for value in values), part


@every_model
def test_the_last_account_of_a_phone_is_as_good_as_its_first(model: DeviceModel) -> None:
    found = values_of(model, one_line_phone(model, replace(LINE, position=model.lines)))
    assert {f"line-{NUMBER}", PASSWORD} <= set(found.values())


@pytest.mark.parametrize(
    "model", [m for m in CATALOGUE.models if m.vendor not in FORGETTING], ids=lambda model: model.key
)
def test_a_phone_that_changes_hands_is_told_to_forget_its_account(model: DeviceModel) -> None:
    personal = (NUMBER, PASSWORD, NAME)
    for position in {1, model.lines}:
        before = values_of(model, one_line_phone(model, replace(LINE, position=position)))
        after = values_of(model, phone(model.key, MAC, accounts=()))
        written = {key for key, value in before.items() if any(part in value for part in personal)}
        assert written
        assert written <= after.keys()
        assert not any(part in value for value in after.values() for part in personal)


@every_model
def test_a_name_is_only_ever_a_name(model: DeviceModel) -> None:
    plain = values_of(model, one_line_phone(model))
    unwritable = CATALOGUE.plugins[model.vendor].unwritable
    for evil in EVIL_NAMES:
        found = values_of(model, replace(one_line_phone(model, line(evil)), name=evil))
        assert found.keys() == plain.keys()
        expected = " ".join("".join(c if c.isprintable() and c not in unwritable else " " for c in evil).split())
        for key, value in found.items():
            if NAME in plain[key]:
                assert value == plain[key].replace(NAME, expected).strip(), (evil, key)
            elif "Front desk" not in plain[key]:
                assert value == plain[key], (evil, key)


@every_model
def test_a_password_arrives_as_it_is_or_is_refused(model: DeviceModel) -> None:
    plain = values_of(model, one_line_phone(model))
    for password in EVIL_PASSWORDS:
        device = one_line_phone(model, line(password=password))
        try:
            found = values_of(model, device)
        except ConfigRefused as refused:
            told = [problem.removeprefix(f"device {MAC}: a value ") for problem in refused.problems]
            assert all(re.fullmatch("[a-z ]+", text) for text in told), password
            continue
        assert found == {key: value.replace(PASSWORD, password) for key, value in plain.items()}, password


@every_model
def test_the_administrators_password_is_written_or_nothing_is(model: DeviceModel) -> None:
    device = replace(one_line_phone(model), admin_password=None)
    without = values_of(model, device)
    found = values_of(model, one_line_phone(model))
    assert any(ADMIN_PASSWORD in value for value in found.values())
    assert not any(ADMIN_PASSWORD in value for value in without.values())


@every_model
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_every_transport_and_time_zone_can_be_written(model: DeviceModel, transport: str) -> None:
    registrar = Registrar("edge.example", "demo.tandem.test", 5071, transport)  # type: ignore[arg-type]
    device = one_line_phone(model, replace(LINE, registrar=registrar))
    for zone in ("UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Dublin", "Pacific/Chatham", "Australia/Sydney"):
        RENDERER.render(site(device, time_zone=zone))
    assert any("5071" in value for value in values_of(model, device).values())


@every_model
def test_a_phone_asks_for_names_that_tell_its_vendor(model: DeviceModel) -> None:
    patterns = CATALOGUE.plugins[model.vendor].file_names
    for spec in model.files:
        # A MAC address of the vendor, because some names are the vendor's only with one.
        oui = min(CATALOGUE.plugins[model.vendor].ouis, default="020000")
        name = spec.name.replace("{mac}", f"{oui}00ab01").replace("{MAC}", f"{oui}00AB01".upper())
        assert any(pattern.match(name) for pattern in patterns), name


def test_every_vendor_with_phones_says_how_they_fetch_again_and_start_again() -> None:
    for plugin in CATALOGUE.plugins.values():
        if plugin.vendor not in {"generic", "patton"}:
            assert plugin.resync_event, plugin.vendor
            assert plugin.reboot_event, plugin.vendor


def test_every_plug_in_says_what_of_it_is_not_confirmed() -> None:
    folder = files("contract.devices") / "catalogue"
    for vendor in CATALOGUE.plugins.keys() - {"generic", "yealink"}:
        assert "Unconfirmed" in (folder / vendor / "README.md").read_text(encoding="utf-8"), vendor


SHARED = {
    "yealink/t54w": {"account.1.shared_line": ("1", "0")},
    "polycom/vvx250": {
        "polycomConfig@reg.1.type": ("shared", "private"),
        "polycomConfig@reg.1.bargeInEnabled": ("1", "0"),
    },
    "snom/d717": {"settings/phone-settings[1]/user_shared_line[1]": ("on", "off")},
    "cisco/spa504g": {
        "flat-profile/Share_Ext_1_[1]": ("Yes", "No"),
        "flat-profile/Shared_User_ID_1_[1]": (NUMBER, ""),
        "flat-profile/Share_Call_Appearance_1_[1]": ("shared", "private"),
    },
}
"""Of makers whose parameters are documented: what a shared line is told, and what another."""


@pytest.mark.parametrize("key", SHARED)
def test_a_phone_is_told_that_its_line_is_shared(key: str) -> None:
    model = CATALOGUE.find(key)
    assert model is not None
    for place, account in enumerate((replace(LINE, appearances=3), LINE)):
        files = values_of(model, one_line_phone(model, account)).items()
        found = {name.partition(": ")[2]: value for name, value in files}
        for name, values in SHARED[key].items():
            assert found[name] == values[place], name
