"""The codes of a site's dial plan reach the files of its phones, and nothing there acts on them in the site's place."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.devices import DeviceModel, Value, feature_code_level
from contract.dialplan import feature_codes
from contract.snapshot import Device, DialPlan, FeatureRule, InternalRule, Line, ServiceRule, Snapshot, User
from edge_agent.processes.link import Prepare
from edge_agent.provisioning.render import Renderer
from edge_agent.views import provisioning_config
from tests.edge_agent.provisioning.test_capabilities import SPECIMENS, specimen
from tests.edge_agent.provisioning.test_catalogue import CATALOGUE, values_of
from tests.support.example_site import SITE

CODES = {
    "pickup": "*7811", "group_pickup": "*7822", "park": "*7833", "retrieve": "*7844",
    "do_not_disturb_on": "*6011", "do_not_disturb_off": "*6022", "forward_off": "*7333",
    "forward_always": "*7211", "forward_busy": "*7422", "forward_no_answer": "*7533",
    "call_waiting_on": "*4311", "call_waiting_off": "*4322", "anonymous_rejection_on": "*7711",
    "anonymous_rejection_off": "*7722", "hide_caller_id": "*6711", "show_caller_id": "*8211", "speed_dial": "*7511",
    "hot_desk_off": "*1122", "intercom": "*8011", "call_return": "*6911", "hot_desk": "*1111", "voicemail": "*9811",
}  # fmt: skip
LEVEL = feature_code_level(CODES)
HAVING = sorted(
    kind for kind, key in SPECIMENS.items() if any(path.startswith("codes/") for path in CATALOGUE.model(key).settings)
)


def told(kind: str) -> dict[str, str]:
    """What a phone is told that sets nothing itself but keys, so that codes come from the dial plan alone."""
    device = specimen(kind)
    own: dict[str, Value] = {path: value for path, value in device.settings.items() if path.startswith("line_key/")}
    values = values_of(CATALOGUE.model(SPECIMENS[kind]), replace(device, settings=own, levels=(LEVEL,)))
    return {key.partition(": ")[2]: value for key, value in values.items()}


def test_a_plan_gives_each_code_by_what_it_leads_to_and_the_first_rule_wins() -> None:
    plan = DialPlan(
        rules=(
            ServiceRule(rule_id="1", name="Echo", code="*99", service="echo_test"),
            FeatureRule(rule_id="2", name="Off", code="*71", feature="forward_always", enabled=False),
            FeatureRule(rule_id="3", name="Forward", code="*72", feature="forward_always"),
            FeatureRule(rule_id="4", name="Again", code="#72", feature="forward_always"),
            InternalRule(rule_id="5"),
        )
    )
    assert feature_codes(plan) == {"echo_test": "*99", "forward_always": "*72"}


@pytest.mark.parametrize("kind", HAVING)
def test_every_code_that_a_model_has_a_setting_for_stands_in_its_file(kind: str) -> None:
    model: DeviceModel = CATALOGUE.model(SPECIMENS[kind])
    said = LEVEL.settings["*"]
    values = " ".join(told(kind).values())
    wanted = {path: str(said[path]) for path in model.settings if path in said}
    assert wanted
    assert {path for path, code in wanted.items() if code not in values} == set()


@pytest.mark.parametrize(
    ("kind", "parameter", "code"),
    [
        ("yealink", "features.call_park.park_code", "park"),
        ("yealink", "features.call_park.park_retrieve_code", "retrieve"),
        ("yealink", "features.pickup.group_pickup_code", "group_pickup"),
        ("yealink", "features.dnd.on_code", "do_not_disturb_on"),
        ("yealink", "forward.always.on_code", "forward_always"),
        ("yealink", "forward.always.off_code", "forward_always"),
        ("yealink", "forward.busy.off_code", "forward_busy"),
        ("yealink", "forward.no_answer.on_code", "forward_no_answer"),
        ("yealink", "voice_mail.number.1", "voicemail"),
        ("polycom", "polycomConfig@call.parkedCallRetrieveString", "retrieve"),
        ("snom", "settings/phone-settings[1]/redirect_time_on_code[1]", "forward_no_answer"),
        ("snom", "settings/phone-settings[1]/dnd_off_code[1]", "do_not_disturb_off"),
        ("fanvil", "sysConf/sip[1]/line[1]/CFBOffSvcCode[1]", "forward_busy"),
        ("fanvil", "sysConf/sip[1]/line[1]/RetrieveNum[1]", "retrieve"),
        ("cisco", "flat-profile/Cfwd_All_Act_Code[1]", "forward_always"),
        ("cisco", "flat-profile/Cfwd_All_Deact_Code[1]", "forward_off"),
        ("yealink", "call_waiting.on_code", "call_waiting_on"),
        ("yealink", "account.1.anonymous_reject_oncode", "anonymous_rejection_on"),
        ("fanvil", "sysConf/sip[1]/line[1]/ANCOffSvcCode[1]", "anonymous_rejection_off"),
        ("cisco", "flat-profile/CW_Deact_Code[1]", "call_waiting_off"),
        ("generic", "hot_desk_off_code", "hot_desk_off"),
        ("generic", "hot_desk_code", "hot_desk"),
        ("generic", "call_return_code", "call_return"),
        ("generic", "intercom_code", "intercom"),
    ],
)
def test_a_phone_reads_each_code_where_its_guide_says(kind: str, parameter: str, code: str) -> None:
    assert told(kind)[parameter] == CODES[code]


@pytest.mark.parametrize(
    ("kind", "parameter", "value"),
    [
        ("grandstream", "gs_provision/config[1]/P191[1]", "0"),
        ("grandstream", "gs_provision/config[1]/P420[1]", "0"),
        ("grandstream-adapter", "gs_provision/config[1]/P191[1]", "0"),
        ("grandstream-adapter", "gs_provision/config[1]/P751[1]", "0"),
        ("grandstream-ports", "gs_provision/config[1]/P191[1]", "0"),
        ("cisco-spa", "flat-profile/Cfwd_All_Act_Code[1]", ""),
        ("cisco-spa", "flat-profile/DND_Act_Code[1]", ""),
        ("mitel", "sip line1 park pickup config", "*7833;*7844;asterisk"),
        ("snom", "settings/functionKeys[1]/fkey[3]", "blf 4711|*7811"),
        ("polycom", "polycomConfig@call.directedCallPickupMethod", "legacy"),
    ],
)
def test_phones_that_act_on_codes_by_themselves_leave_them_to_the_site(kind: str, parameter: str, value: str) -> None:
    assert told(kind)[parameter] == value


def test_a_changed_code_reaches_the_phones_that_know_it_and_renders_no_other_again() -> None:
    def prepared(code: str) -> Prepare:
        rules = (FeatureRule(rule_id="f", name="Forward", code=code, feature="forward_always"),)
        devices = (
            Device(device_id="d1", mac="805ec0000001", model="yealink/t54w"),
            Device(device_id="d2", mac="0022ee000001", model="algo/8301"),
        )
        users = (User(user_id="u", username="200", display_name="Reception", extension="200"),)
        lines = (Line(line_id="l", user_id="u", device_id="d1", auth_username="a", password="s:1"),)
        snapshot = Snapshot(
            version=1, site=SITE, users=users, lines=lines, devices=devices, dial_plan=DialPlan(rules=rules)
        )
        return Prepare(
            version=1, snapshot=snapshot, secrets={"s:1": SecretStr("x")}, sip_host="192.0.2.1", sip_ports={"udp": 5060}
        )

    renderer = Renderer(CATALOGUE)
    renderer.render(provisioning_config(prepared("*72")))
    before = renderer.devices_rendered
    library = renderer.render(provisioning_config(prepared("*21")))
    file = library.find("805ec0000001.cfg")
    assert file is not None
    assert b"forward.always.on_code = *21\n" in file.body
    assert renderer.devices_rendered == before + 1


def test_a_new_sites_codes_are_those_that_phones_have_settings_for() -> None:
    said = feature_code_level(feature_codes(default_dial_plan(UUID(int=1)))).settings["*"]
    known = {path for model in CATALOGUE.models for path in model.settings}
    wanted = (
        "pickup",
        "group_pickup",
        "intercom",
        "call_return",
        "hot_desk",
        "call_waiting_on",
        "anonymous_rejection_on",
    )
    assert {*(f"codes/{name}" for name in wanted), "calls/voicemail_number"} <= said.keys() & known
