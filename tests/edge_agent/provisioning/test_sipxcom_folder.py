"""A vendor's folder as sipXcom has them, brought with a short description: a phone gets its file."""

from dataclasses import replace

from contract.devices import load_plugin
from contract.devices.model import Catalogue
from edge_agent.provisioning.config import DeviceConfig
from edge_agent.provisioning.render import Renderer
from tests.contract.devices.test_sipxcom import FOLDER
from tests.support.site_phones import account, site

TEMPLATE = b"""## written in the manner of a sipXcom template
serial: $phone.serialNumber
#foreach($s in $cfg.getRecursiveSettings($phone.settings))
$s.profileName: $!s.value
#end
#foreach($line in $phone.lines)
sip.${velocityCount}.user: $line.userId
sip.${velocityCount}.password: $line.password
sip.${velocityCount}.name: $line.displayName
#foreach($s in $line.settings)
sip.$line.position.$s.profileName: $s.value
#end
#end
"""
FILES = {
    **{name: data for name, data in FOLDER.items() if not name.startswith("templates/")},
    "plugin.toml": FOLDER["plugin.toml"].replace(b"phone.cfg.j2", b"phone.vm"),
    "templates/phone.vm": TEMPLATE,
}
DEVICE = DeviceConfig("d", "0004f2000001", "old/small", accounts=(account(),), settings={"Network/vlan": 42})


def body(device: DeviceConfig) -> str:
    renderer = Renderer(Catalogue({"old": load_plugin("old", FILES)}))
    file = renderer.render(site(device)).find("0004f2000001.cfg")
    assert file is not None
    return file.body.decode()


def test_a_phone_of_such_a_folder_gets_its_file() -> None:
    assert body(DEVICE) == (
        "\nserial: 0004f2000001\nvlan: 42\nnet.dhcp: on\nZone: 1\nnumber: \n"
        "sip.1.user: 200\nsip.1.password: planted-password-7f3a\nsip.1.name: Reception\nsip.1.reg.expires: 300\n"
    )


def test_a_name_is_never_read_as_velocity() -> None:
    named = replace(DEVICE, accounts=(account(name="#set($x = 1)$phone.adminPassword"),))
    assert "sip.1.name: #set($x = 1)$phone.adminPassword\n" in body(named)
