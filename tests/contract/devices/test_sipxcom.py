"""A vendor's folder as sipXcom has them, with a short description beside: its models, conditions, types and labels."""

import pytest

from contract.devices import DeviceModel, PluginProblems, load_plugin

PHONE = b"""<?xml version="1.0"?>
<!DOCTYPE model SYSTEM "setting.dtd" [<!ENTITY types SYSTEM "types.xml">]>
<model>
  &types;
  <group name="Network">
    <setting name="vlan"><type><integer min="0" max="4094"/></type><value>0</value></setting>
    <setting name="Dhcp"><profileName>net.dhcp</profileName><type refid="switch"/><value>on</value></setting>
    <group name="Time" unless="old.*">
      <setting name="Zone"><type><enum><option><label>Utc</label><value>0</value></option>
        <option><label>Berlin</label><value>1</value></option></enum></type><value>1</value></setting>
    </group>
  </group>
  <group name="key1" if="big|||huge">
    <setting name="number"><type><string maxLen="12"><pattern>[0-9]*</pattern></string></type><value/></setting>
  </group>
  <group name="key2" copy-of="key1"/>
</model>"""
LINE = b"""<model><group name="Account"><setting name="expires"><profileName>reg.expires</profileName>
<type><integer min="60"/></type><value>300</value></setting></group></model>"""
FOLDER = {
    "plugin.toml": b"""label = "Old"
[[files]]
name = "{mac}.cfg"
template = "phone.cfg.j2"
scope = "device"
[sipxcom]
line = "line.xml"
[models.small]
label = "Small"
lines = 2
[models.big]
label = "Big"
lines = 4
features = ["oldFirmware"]
""",
    "phone.xml": PHONE,
    "line.xml": LINE,
    "types.xml": b'<type id="switch"><boolean><true><value>on</value></true>'
    b"<false><value>off</value></false></boolean></type>",
    "phone.properties": b"# labels\nNetwork.label=The network\nNetwork.vlan.label = Voice VLAN\n"
    b"Network.vlan.description: Which one\n",
    "templates/phone.cfg.j2": b"x",
}


def model(name: str) -> DeviceModel:
    return load_plugin("old", FOLDER).models[name]


def problems_of(**files: bytes) -> list[str]:
    with pytest.raises(PluginProblems) as caught:
        load_plugin("old", {**FOLDER, **{name.replace("_", "."): data for name, data in files.items()}})
    return [str(problem) for problem in caught.value.problems]


def test_settings_have_their_types_limits_defaults_parameters_and_labels() -> None:
    found = model("small").settings
    vlan, dhcp = found["Network/vlan"], found["Network/Dhcp"]
    assert (vlan.type, vlan.minimum, vlan.maximum, vlan.default, vlan.parameter) == ("integer", 0, 4094, 0, "vlan")
    assert (vlan.label, vlan.help) == ("Voice VLAN", "Which one")
    assert (dhcp.type, dhcp.default, dhcp.written(True), dhcp.parameter) == ("boolean", True, "on", "net.dhcp")
    zone = found["Network.Time/Zone"]
    assert (zone.default, [option.label for option in zone.options]) == ("1", ["Utc", "Berlin"])
    assert found["Account/expires"].parameter == "{account}/reg.expires"
    assert model("small").groups[0].label == "The network"


def test_conditions_match_a_models_whole_name_or_feature_and_a_copy_does_not_inherit_them() -> None:
    small, big = model("small").settings, model("big").settings
    assert "Network.Time/Zone" in small
    assert "Network.Time/Zone" not in big
    assert "key1/number" in big
    assert "key1/number" not in small
    assert "key2/number" in small
    assert small["key2/number"].max_length == 12


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        (b'<!DOCTYPE m [<!ENTITY x SYSTEM "/etc/passwd">]><model>&x;</model>', "'x' is not a file of the folder"),
        (b'<!DOCTYPE m [<!ENTITY x SYSTEM "../types.xml">]><model>&x;</model>', "'x' is not a file of the folder"),
        (b'<!DOCTYPE m [<!ENTITY x SYSTEM "http://a.test/x">]><model>&x;</model>', "'x' is not a file of the folder"),
        (b'<!DOCTYPE m [<!ENTITY x "ha">]><model>&x;</model>', "'x' is not a file of the folder"),
        (b'<!DOCTYPE m [<!ENTITY % x SYSTEM "types.xml">%x;]><model/>', "'x' is not a file of the folder"),
        (b'<!DOCTYPE m [<!ENTITY x SYSTEM "types.xml">]><model>' + b"&x;" * 9 + b"</model>", "more than 8 files"),
        (b"<settings/>", "the root element must be <model>"),
        (b'<model><group name="a" copy-of="b"/></model>', "copy-of: there is no 'b' before it"),
        (b'<model><group name="a" if="(a+)+"/></model>', "if repeats without an end"),
        (b'<model><group name="a"><setting name="b"><type refid="c"/></setting></group></model>', "the id 'c'"),
    ],
)
def test_what_leads_out_of_the_folder_or_is_not_understood_is_named_by_file_and_line(
    phone: bytes, expected: str
) -> None:
    found = problems_of(phone_xml=phone)
    assert any(problem.startswith("old/phone.xml:1: ") and expected in problem for problem in found), found


def test_a_file_that_includes_itself_ends() -> None:
    around = b'<!DOCTYPE m [<!ENTITY t SYSTEM "types.xml">]><model>&t;</model>'
    assert problems_of(phone_xml=around, types_xml=b"<group name='a'>&t;</group>")
