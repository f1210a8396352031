"""What each vendor's files say of each thing that a phone must be told: the parameter, or why there is none."""

import re
from dataclasses import dataclass, replace
from typing import Final

import pytest
from pydantic import SecretStr

from contract.devices import Value
from edge_agent.provisioning.config import DeviceConfig, Registrar
from tests.edge_agent.provisioning.test_catalogue import CATALOGUE, LINE, MAC, RENDERER, values_of
from tests.support.site_phones import ADMIN_PASSWORD, PASSWORD, SERVER_URL, phone, site

REGISTRAR = Registrar("edge.example", "demo.tandem.test", 5071, "tcp")
PLANTED: Final[dict[str, Value]] = {
    "sip/backup_host": "198.51.100.9",
    "sip/backup_port": 5077,
    "time/ntp_server": "192.0.2.123",
    "gateway/ntp_server": "192.0.2.123",
    "network/vlan": True,
    "network/vlan_id": 1234,
    "calls/voicemail_number": "*9871",
    "codes/pickup": "*7811",
    "phonebook/url": "http://book.example/list.xml",
    "firmware/url": "http://files.example/image.bin",
    "line_key/2/type": "speed_dial",
    "line_key/2/value": "0301234",
    "line_key/2/label": "Taxi",
    "line_key/3/type": "blf",
    "line_key/3/value": "4711",
    "line_key/3/label": "Workshop",
    "busy_lamp/1/number": "4711",
    "busy_lamp/1/label": "Workshop",
}


@dataclass(frozen=True)
class No:
    """A vendor has no parameter for it, and why."""

    reason: str


HANDSETS = No("handsets have no keys of their own that the base could set")
ADAPTER = No("an adapter has no keys and no display")
UNKNOWN = No("no parameter for it is known for certain; the vendor's README says so")
ENTERPRISE = "cisco-enterprise"

VALUES: Final = {
    "account": PASSWORD,
    "outbound server": "edge.example",
    "fail-over": "198.51.100.9",
    "time server": "192.0.2.123",
    "VLAN": "1234",
    "voicemail number": "*9871",
    "speed dial": "0301234",
    "busy lamp": "4711",
    "phone book": "book.example/list.xml",
    "feature code": "*7811",
    "provisioning server": SERVER_URL.partition("://")[2].partition(":")[0],
    "provisioning password": "planted-fetch-51ab",
    "administrator's password": ADMIN_PASSWORD,
    "firmware": "image.bin",
}
"""What must be found where the parameter stands."""
SPECIMENS: Final = {
    "yealink": "yealink/t54w",
    "yealink-dect": "yealink/w70b",
    "polycom": "polycom/vvx450",
    "grandstream": "grandstream/gxp2160",
    "grandstream-adapter": "grandstream/ht802",
    "grandstream-ports": "grandstream/gxw4216",
    "snom": "snom/d735",
    "snom-dect": "snom/m900",
    "cisco": "cisco/cp8841",
    "cisco-spa": "cisco/spa504g",
    ENTERPRISE: "cisco/cp7965",
    "mitel": "mitel/6867i",
    "fanvil": "fanvil/x5u",
    "htek": "htek/uc924",
    "gigaset": "gigaset/n870",
    "panasonic": "panasonic/kx_hdv230",
    "audiocodes": "audiocodes/440hd",
    "audiocodes-gateway": "audiocodes/mp118",
    "avaya": "avaya/j179",
    "algo": "algo/8301",
    "patton": "patton/sn4114",
    "generic": "generic/sip",
}
TABLE: Final[dict[str, dict[str, str | No]]] = {
    "account": {
        "yealink": r"account\.1\.password",
        "yealink-dect": r"account\.1\.password",
        "polycom": r"reg\.1\.auth\.password",
        "grandstream": r"/P34\[1\]",
        "grandstream-adapter": r"/P34\[1\]",
        "grandstream-ports": r"/P4120\[1\]",
        "snom": r"/user_pass\[1\]",
        "snom-dect": r"/user_pass\[1\]",
        "cisco": r"/Password_1_\[1\]",
        "cisco-spa": r"/Password_1_\[1\]",
        ENTERPRISE: r"/line\[1\]/authPassword\[1\]",
        "mitel": r"sip line1 password",
        "fanvil": r"/line\[1\]/RegisterPswd\[1\]",
        "htek": r"/P34\[1\]",
        "gigaset": r"@value",
        "panasonic": r"SIP_PASS_1",
        "audiocodes": r"voip/line/0/auth_password",
        "audiocodes-gateway": r"Authentication 0\.Authentication_UserPassword",
        "avaya": r"FORCE_SIP_PASSWORD",
        "algo": r"sip\.u1\.pwd",
        "patton": r"username",
        "generic": r"account\.1\.password",
    },
    "outbound server": {
        "yealink": r"account\.1\.outbound_proxy\.1\.address",
        "yealink-dect": r"account\.1\.outbound_proxy\.1\.address",
        "polycom": r"reg\.1\.outboundProxy\.address",
        "grandstream": r"/P48\[1\]",
        "grandstream-adapter": r"/P48\[1\]",
        "grandstream-ports": r"/P2312\[1\]",
        "snom": r"/user_outbound\[1\]",
        "snom-dect": r"/user_outbound\[1\]",
        "cisco": r"/Outbound_Proxy_1_\[1\]",
        "cisco-spa": r"/Outbound_Proxy_1_\[1\]",
        ENTERPRISE: r"/outboundProxy\[1\]",
        "mitel": r"sip line1 outbound proxy",
        "fanvil": r"/line\[1\]/ProxyAddr\[1\]",
        "htek": r"/P48\[1\]",
        "gigaset": r"@value",
        "panasonic": r"SIP_OUTPROXY_ADDR_1",
        "audiocodes": r"voip/signalling/sip/sip_outbound_proxy/addr",
        "audiocodes-gateway": r"ProxyIp 0\.ProxyIp_IpAddress",
        "avaya": r"SIP_CONTROLLER_LIST",
        "algo": r"sip\.obproxy",
        "patton": r"registrar|remote",
        "generic": r"account\.1\.registrar",
    },
    "fail-over": {
        "yealink": r"account\.1\.outbound_proxy\.2\.address",
        "yealink-dect": r"account\.1\.outbound_proxy\.2\.address",
        "polycom": r"reg\.1\.server\.2\.address",
        "grandstream": r"/P2312\[1\]",
        "grandstream-adapter": r"/P967\[1\]",
        "grandstream-ports": r"/P967\[1\]",
        "snom": No("a phone fails over by the DNS of its outbound proxy, or to a second identity that people see"),
        "snom-dect": No("a base fails over by the DNS of its outbound proxy"),
        "cisco": r"/Alternate_Outbound_Proxy_1_\[1\]",
        "cisco-spa": r"/Alternate_Outbound_Proxy_1_\[1\]",
        ENTERPRISE: r"/backupProxy\[1\]",
        "mitel": r"sip line1 backup proxy ip",
        "fanvil": r"/line\[1\]/BackupAddr\[1\]",
        "htek": r"/P967\[1\]",
        "gigaset": r"@value",
        "panasonic": r"SIP_2NDPROXY_ADDR_1",
        "audiocodes": r"voip/signalling/sip/redundant_proxy/address",
        "audiocodes-gateway": r"ProxyIp 1\.ProxyIp_IpAddress",
        "avaya": r"SIP_CONTROLLER_LIST",
        "algo": UNKNOWN,
        "patton": UNKNOWN,
        "generic": r"account\.1\.backup_registrar",
    },
    "time server": {
        "yealink": r"local_time\.ntp_server1",
        "yealink-dect": r"local_time\.ntp_server1",
        "polycom": r"tcpIpApp\.sntp\.address",
        "grandstream": r"/P30\[1\]",
        "grandstream-adapter": r"/P30\[1\]",
        "grandstream-ports": r"/P30\[1\]",
        "snom": r"/ntp_server\[1\]",
        "snom-dect": r"/ntp_server\[1\]",
        "cisco": r"/Primary_NTP_Server\[1\]",
        "cisco-spa": r"/Primary_NTP_Server\[1\]",
        ENTERPRISE: r"/ntp\[1\]/name\[1\]",
        "mitel": r"time server1",
        "fanvil": r"/SNTPServer\[1\]",
        "htek": r"/P30\[1\]",
        "gigaset": r"@value",
        "panasonic": r"NTP_ADDR",
        "audiocodes": r"system/ntp/primary_server_address",
        "audiocodes-gateway": r"NTPServerIP",
        "avaya": r"SNTPSRVR",
        "algo": r"net\.time1",
        "patton": r"sntp-client",
        "generic": r"ntp_server",
    },
    "VLAN": {
        "yealink": r"static\.network\.vlan\.internet_port_vid",
        "yealink-dect": r"static\.network\.vlan\.internet_port_vid",
        "polycom": r"device\.net\.vlanId",
        "grandstream": r"/P51\[1\]",
        "grandstream-adapter": r"/P51\[1\]",
        "grandstream-ports": r"/P51\[1\]",
        "snom": r"/vlan_id\[1\]",
        "snom-dect": r"/vlan_id\[1\]",
        "cisco": r"/VLAN_ID\[1\]",
        "cisco-spa": r"/VLAN_ID\[1\]",
        ENTERPRISE: r"/adminVlanId\[1\]",
        "mitel": r"vlan id",
        "fanvil": r"/VLANID\[1\]",
        "htek": UNKNOWN,
        "gigaset": No("a base learns it by LLDP or DHCP"),
        "panasonic": r"VLAN_ID_IP_PHONE",
        "audiocodes": UNKNOWN,
        "audiocodes-gateway": No("it stands in the table of network interfaces, with the gateway's address"),
        "avaya": r"L2QVLAN",
        "algo": r"net\.vlan\.id",
        "patton": UNKNOWN,
        "generic": r"vlan_id",
    },
    "voicemail number": {
        "yealink": r"voice_mail\.number\.1",
        "yealink-dect": r"voice_mail\.number\.1",
        "polycom": r"msg\.mwi\.1\.callBack",
        "grandstream": r"/P33\[1\]",
        "grandstream-adapter": ADAPTER,
        "grandstream-ports": ADAPTER,
        "snom": r"/user_mailbox\[1\]",
        "snom-dect": r"/user_mailnumber\[1\]",
        "cisco": r"/Voice_Mail_Number\[1\]",
        "cisco-spa": r"/Voice_Mail_Number\[1\]",
        ENTERPRISE: r"/messagesNumber\[1\]",
        "mitel": r"sip line1 vmail",
        "fanvil": r"/line\[1\]/MWINum\[1\]",
        "htek": r"/P33\[1\]",
        "gigaset": r"@value",
        "panasonic": r"VM_NUMBER_1",
        "audiocodes": r"voip/services/msg_waiting_ind/voice_mail_number",
        "audiocodes-gateway": ADAPTER,
        "avaya": r"PSTN_VM_NUM",
        "algo": No("nobody listens to voicemail on a loudspeaker"),
        "patton": ADAPTER,
        "generic": r"voicemail_number",
    },
    "speed dial": {
        "yealink": r"linekey\.2\.value",
        "yealink-dect": HANDSETS,
        "polycom": No("speed dials stand in the phone's own directory; a busy lamp's key dials as well"),
        "grandstream": r"/P1468\[1\]",
        "grandstream-adapter": ADAPTER,
        "grandstream-ports": ADAPTER,
        "snom": r"/fkey\[2\]",
        "snom-dect": HANDSETS,
        "cisco": r"/Extended_Function_2_\[1\]",
        "cisco-spa": r"/Extended_Function_2_\[1\]",
        ENTERPRISE: r"/line\[2\]/speedDialNumber\[1\]",
        "mitel": r"topsoftkey2 value",
        "fanvil": r"/Fkey\[2\]/Value\[1\]",
        "htek": UNKNOWN,
        "gigaset": HANDSETS,
        "panasonic": r"FLEX_BUTTON_FACILITY_ARG2",
        "audiocodes": UNKNOWN,
        "audiocodes-gateway": ADAPTER,
        "avaya": UNKNOWN,
        "algo": No("loudspeakers and adapters have no keys"),
        "patton": ADAPTER,
        "generic": r"key\.2\.value",
    },
    "busy lamp": {
        "yealink": r"linekey\.3\.value",
        "yealink-dect": HANDSETS,
        "polycom": r"attendant\.resourceList\.1\.address",
        "grandstream": r"/P1470\[1\]",
        "grandstream-adapter": ADAPTER,
        "grandstream-ports": ADAPTER,
        "snom": r"/fkey\[3\]",
        "snom-dect": HANDSETS,
        "cisco": r"/Extended_Function_3_\[1\]",
        "cisco-spa": r"/Extended_Function_3_\[1\]",
        ENTERPRISE: r"/line\[3\]/speedDialNumber\[1\]",
        "mitel": r"topsoftkey3 value",
        "fanvil": r"/Fkey\[3\]/Value\[1\]",
        "htek": UNKNOWN,
        "gigaset": HANDSETS,
        "panasonic": r"FLEX_BUTTON_FACILITY_ARG3",
        "audiocodes": UNKNOWN,
        "audiocodes-gateway": ADAPTER,
        "avaya": UNKNOWN,
        "algo": No("loudspeakers and adapters have no keys"),
        "patton": ADAPTER,
        "generic": r"key\.3\.value",
    },
    "phone book": {
        "yealink": r"remote_phonebook\.data\.1\.url",
        "yealink-dect": r"remote_phonebook\.data\.1\.url",
        "polycom": No("a phone fetches no book from elsewhere; 000000000000-directory.xml is the site's"),
        "grandstream": r"/P331\[1\]",
        "grandstream-adapter": ADAPTER,
        "grandstream-ports": ADAPTER,
        "snom": r"/dkey_directory\[1\]",
        "snom-dect": r"/phonebook_location\[1\]",
        "cisco": r"/XML_Directory_Service_URL\[1\]",
        "cisco-spa": r"/XML_Directory_Service_URL\[1\]",
        ENTERPRISE: r"/directoryURL\[1\]",
        "mitel": r"directory 1",
        "fanvil": r"/xmlContact\[1\]/Addr\[1\]",
        "htek": r"/P331\[1\]",
        "gigaset": r"@value",
        "panasonic": UNKNOWN,
        "audiocodes": UNKNOWN,
        "audiocodes-gateway": ADAPTER,
        "avaya": UNKNOWN,
        "algo": No("loudspeakers and adapters have no display"),
        "patton": ADAPTER,
        "generic": r"phonebook_url",
    },
    "feature code": {
        "yealink": r"features\.pickup\.direct_pickup_code",
        "yealink-dect": r"features\.pickup\.direct_pickup_code",
        "polycom": r"call\.directedCallPickupString",
        "grandstream": r"/P1347\[1\]",
        "grandstream-adapter": ADAPTER,
        "grandstream-ports": ADAPTER,
        "snom": r"/fkey\[3\]",
        "snom-dect": HANDSETS,
        "cisco": r"/Call_Pickup_Code\[1\]",
        "cisco-spa": r"/Call_Pickup_Code\[1\]",
        ENTERPRISE: No("its codes are those of the vendor's own call manager"),
        "mitel": r"directed call pickup prefix",
        "fanvil": r"/line\[1\]/PickupNum\[1\]",
        "htek": r"/P4705\[1\]",
        "gigaset": HANDSETS,
        "panasonic": r"NUM_PLAN_PICKUP_DIRECT",
        "audiocodes": UNKNOWN,
        "audiocodes-gateway": ADAPTER,
        "avaya": UNKNOWN,
        "algo": No("loudspeakers and adapters have no keys"),
        "patton": ADAPTER,
        "generic": r"pickup_code",
    },
    "provisioning server": {
        "yealink": r"static\.auto_provision\.server\.url",
        "yealink-dect": r"static\.auto_provision\.server\.url",
        "polycom": r"device\.prov\.serverName",
        "grandstream": r"/P237\[1\]",
        "grandstream-adapter": r"/P237\[1\]",
        "grandstream-ports": r"/P237\[1\]",
        "snom": r"/setting_server\[1\]",
        "snom-dect": r"/setting_server\[1\]",
        "cisco": r"/Profile_Rule\[1\]",
        "cisco-spa": r"/Profile_Rule\[1\]",
        ENTERPRISE: No("it asks where DHCP options 150 and 66 say, and nowhere else"),
        "mitel": r"http server",
        "fanvil": r"/FlashServerIP\[1\]",
        "htek": r"/P237\[1\]",
        "gigaset": r"@value",
        "panasonic": r"CFG_STANDARD_FILE_PATH",
        "audiocodes": r"provisioning/configuration/url",
        "audiocodes-gateway": r"IniFileURL",
        "avaya": r"HTTPSRVR",
        "algo": r"prov\.server\.static",
        "patton": r"location",
        "generic": r"provisioning_url",
    },
    "provisioning password": {
        "yealink": r"static\.auto_provision\.server\.password",
        "yealink-dect": r"static\.auto_provision\.server\.password",
        "polycom": r"device\.prov\.password",
        "grandstream": r"/P1361\[1\]",
        "grandstream-adapter": r"/P1361\[1\]",
        "grandstream-ports": r"/P1361\[1\]",
        "snom": r"/http_client_pass\[1\]",
        "snom-dect": r"/http_client_pass\[1\]",
        "cisco": r"/Profile_Rule\[1\]",
        "cisco-spa": r"/Profile_Rule\[1\]",
        ENTERPRISE: No("it fetches by TFTP or by HTTP without credentials"),
        "mitel": UNKNOWN,
        "fanvil": r"/DefaultPassword\[1\]",
        "htek": r"/P1361\[1\]",
        "gigaset": r"@value",
        "panasonic": r"HTTP_AUTH_PASS",
        "audiocodes": r"provisioning/configuration/http_auth/password",
        "audiocodes-gateway": UNKNOWN,
        "avaya": r"HTTP_AUTH_PASSWORD",
        "algo": r"prov\.auth\.pwd",
        "patton": UNKNOWN,
        "generic": r"provisioning_password",
    },
    "administrator's password": {
        "yealink": r"static\.security\.user_password",
        "yealink-dect": r"static\.security\.user_password",
        "polycom": r"device\.auth\.localAdminPassword",
        "grandstream": r"/P2\[1\]",
        "grandstream-adapter": r"/P2\[1\]",
        "grandstream-ports": r"/P2\[1\]",
        "snom": r"/http_pass\[1\]",
        "snom-dect": r"/http_pass\[1\]",
        "cisco": r"/Admin_Password\[1\]",
        "cisco-spa": r"/Admin_Passwd\[1\]",
        ENTERPRISE: r"/phonePassword\[1\]",
        "mitel": r"admin password",
        "fanvil": r"/account\[1\]/Password\[1\]",
        "htek": r"/P2\[1\]",
        "gigaset": r"@value",
        "panasonic": r"ADMIN_PASS",
        "audiocodes": r"system/password",
        "audiocodes-gateway": r"WebAdminPassword",
        "avaya": r"FORCE_WEB_ADMIN_PASSWORD",
        "algo": r"admin\.pwd",
        "patton": r"administrator",
        "generic": r"admin_password",
    },
    "firmware": {
        "yealink": r"static\.firmware\.url",
        "yealink-dect": r"static\.firmware\.url",
        "polycom": r"APP_FILE_PATH",
        "grandstream": r"/P192\[1\]",
        "grandstream-adapter": r"/P192\[1\]",
        "grandstream-ports": r"/P192\[1\]",
        "snom": r"/firmware\[1\]",
        "snom-dect": r"/firmware\[1\]",
        "cisco": r"/Upgrade_Rule\[1\]",
        "cisco-spa": r"/Upgrade_Rule\[1\]",
        ENTERPRISE: No("it is told the name of a load (enterprise/load), not an address"),
        "mitel": r"firmware server",
        "fanvil": r"/UpgradeServer1\[1\]",
        "htek": r"/P192\[1\]",
        "gigaset": r"@url",
        "panasonic": r"FIRM_FILE_PATH",
        "audiocodes": r"provisioning/firmware/url",
        "audiocodes-gateway": r"CmpFileURL",
        "avaya": r"APPNAME",
        "algo": r"prov\.download\.fwpath",
        "patton": No("its firmware is loaded by a provisioning profile of its own, from a folder per release"),
        "generic": r"firmware_url",
    },
}
every_case = pytest.mark.parametrize(("capability", "kind"), [(c, kind) for c in TABLE for kind in SPECIMENS])


def specimen(kind: str) -> DeviceConfig:
    model = CATALOGUE.model(SPECIMENS[kind])
    settings = {path: value for path, value in PLANTED.items() if path in model.settings}
    account = replace(LINE, registrar=REGISTRAR)
    device = phone(model.key, MAC, settings, (account,))
    return replace(device, fetch_password=SecretStr("planted-fetch-51ab"))


VALUES_OF = {kind: values_of(CATALOGUE.model(key), specimen(kind)) for kind, key in SPECIMENS.items()}


@every_case
def test_every_vendors_file_says_it_or_there_is_a_reason_why_not(capability: str, kind: str) -> None:
    parameter, planted = TABLE[capability][kind], VALUES[capability]
    found = {key for key, value in VALUES_OF[kind].items() if planted in value}
    if isinstance(parameter, No):
        assert len(parameter.reason) > 20
        assert not found, "there is a parameter: name it"
    else:
        assert any(re.search(parameter, key) for key in found), found


def test_the_table_speaks_of_every_vendor_and_every_capability() -> None:
    assert {key.partition("/")[0] for key in SPECIMENS.values()} == CATALOGUE.plugins.keys()
    assert TABLE.keys() == VALUES.keys()
    assert all(row.keys() == SPECIMENS.keys() for row in TABLE.values())


@pytest.mark.parametrize("kind", SPECIMENS)
def test_the_transport_and_the_codecs_that_are_chosen_reach_the_file(kind: str) -> None:
    model = CATALOGUE.model(SPECIMENS[kind])
    device = specimen(kind)
    before = VALUES_OF[kind]
    other = replace(device, settings={**device.settings, "sip/transport": "udp"})
    assert values_of(model, other) != before, "the transport changes nothing"
    codecs = [path for path in model.settings if re.search(r"audio/(?!dtmf)|gateway/codec", path)]
    without = {"gigaset", "panasonic", "audiocodes", "patton"}
    assert bool(codecs) == (kind not in without), "a README says why these have none"
    for path in codecs:
        setting = model.settings[path]
        chosen: Value = (
            not setting.default
            if isinstance(setting.default, bool)
            else setting.options[-1 if setting.default == setting.options[0].value else 0].value
            if setting.options
            else (setting.default + 1 if isinstance(setting.default, int) else "")
        )
        if chosen != "":
            changed = replace(device, settings={**device.settings, path: chosen})
            assert values_of(model, changed) != before or kind == ENTERPRISE, path


@pytest.mark.parametrize("kind", SPECIMENS)
def test_the_sites_time_zone_and_its_summer_time_reach_the_file(kind: str) -> None:
    device = specimen(kind)
    bodies = set()
    for zone in ("Europe/Berlin", "Africa/Lagos", "Asia/Tokyo"):  # summer time, the same without, another offset
        library = RENDERER.render(site(device, time_zone=zone))
        bodies.add(tuple(file.body for name in library.names if (file := library.find(name)) and file.device_id))
    no_summer_time = {"htek": 1, "audiocodes": 2}
    assert len(bodies) == no_summer_time.get(kind, 3), "README says what is missing"
