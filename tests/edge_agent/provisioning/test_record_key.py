"""Phones whose user may have calls recorded get a key for it, where their vendor says how."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from contract.devices import RECORD_KEY, Value, record_key_level, resolve
from contract.snapshot import Device, Line, Snapshot, User
from edge_agent.processes.link import Prepare
from edge_agent.provisioning.config import DeviceConfig
from edge_agent.views import provisioning_config
from tests.edge_agent.provisioning.test_catalogue import CATALOGUE, LINE, MAC, values_of
from tests.support.example_site import SITE
from tests.support.site_phones import phone

MAY = record_key_level([(), ("RecordCalls",)])
KEY = {"yealink/t46s": ("linekey.{}.type", "25"), "snom/d717": ("fkey[{}]", "keyevent F_REC")}
"""What a key that records is called and does."""


def keys(model: str, settings: dict[str, Value], *, may: bool = True) -> list[int]:
    """The line keys that record, from 1."""
    levels = (MAY,) if may else (record_key_level([("Voicemail",)]),)
    device = replace(phone(model, MAC, accounts=(LINE,)), settings=settings, levels=levels)
    name, records = KEY[model]
    said = {key.rpartition(" ")[2].rpartition("/")[2]: value for key, value in found(model, device).items()}
    return [number for number in range(1, places(model) + 1) if said[name.format(number)] == records]


def found(model: str, device: DeviceConfig) -> dict[str, str]:
    return values_of(CATALOGUE.model(model), device)


def places(model: str) -> int:
    return CATALOGUE.model(model).repeats["line_keys"]


@pytest.mark.parametrize("model", KEY)
def test_the_first_unused_line_key_records_where_a_user_may(model: str) -> None:
    assert keys(model, {}) == [2], "the first is the phone's line"
    assert keys(model, {"line_key/2/type": "none"}) == [3], "somebody wants nothing there"
    assert keys(model, {"line_key/5/type": "record"}) == [5]


@pytest.mark.parametrize("model", KEY)
def test_nobody_else_gets_it_but_who_is_given_it(model: str) -> None:
    assert keys(model, {}, may=False) == []
    assert keys(model, {"calls/record_key": False}) == []
    assert keys(model, {"calls/record_key": True}, may=False) == [2]


@pytest.mark.parametrize("model", KEY)
def test_no_key_that_has_a_meaning_is_taken(model: str) -> None:
    taken: dict[str, Value] = {f"line_key/{number}/type": "blf" for number in range(2, places(model) + 1)}
    assert keys(model, taken) == []


def test_it_is_the_permission_of_the_phones_own_users_that_counts() -> None:
    def allowed(*permissions: str) -> dict[str, bool]:
        users = tuple(
            User(user_id=name, username=name, display_name=name, permissions=permissions if name == "200" else ())
            for name in ("200", "201")
        )
        lines = tuple(
            Line(line_id=name, user_id=name, device_id=name, position=1, auth_username=name, password="s:1")
            for name in ("200", "201")
        )
        devices = tuple(Device(device_id=name, mac=f"805ec0000{name}", model="yealink/t46s") for name in ("200", "201"))
        snapshot = Snapshot(version=1, site=SITE, users=users, lines=lines, devices=devices)
        prepared = Prepare(version=1, snapshot=snapshot, secrets={"s:1": SecretStr("x")}, sip_host="192.0.2.1")
        config = provisioning_config(prepared)
        return {
            one.device_id: bool(resolve(CATALOGUE.model(one.model), {}, one.levels)[RECORD_KEY].value)
            for one in config.devices
        }

    assert allowed("Voicemail", "RecordCalls") == {"200": True, "201": False}
    assert allowed("Voicemail") == {"200": False, "201": False}
