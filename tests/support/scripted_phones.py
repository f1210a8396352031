"""Phones of each vendor as scripts: what they ask for and in which order, how they name themselves, and where in their
file they read who they are. From the vendors' guides, not from the plug-ins: a plug-in that is wrong does not agree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.support.phone_formats import read


@dataclass(frozen=True)
class ReadAccount:
    """What a phone read of itself."""

    username: str
    auth_username: str
    password: str
    domain: str
    server: str
    """`host:port`."""


@dataclass(frozen=True)
class ScriptedPhone:
    """One phone.

    Args:
        names: what it asks for, in order; `{mac}` and `{MAC}` stand for its address. Those that a server may lack are
            in `optional`.
        own: which of them holds its account.
        syntax: of that file.
        keys: where it reads user name, authentication name, password, domain, and the server: one key with
            `host:port`, or two.
        resync: the event by which it fetches again.
    """

    model: str
    mac: str
    user_agent: str
    names: tuple[str, ...]
    own: str
    syntax: str
    keys: tuple[str, ...]
    resync: str
    optional: tuple[str, ...] = ()

    @property
    def vendor(self) -> str:
        return self.model.partition("/")[0]

    def file(self, name: str) -> str:
        """A name with the phone's address in it."""
        return name.replace("{mac}", self.mac).replace("{MAC}", self.mac.upper())

    def account(self, body: bytes) -> ReadAccount:
        """What the phone makes of its file."""
        found: Mapping[str, str] = read(self.vendor, self.syntax, body)
        user, auth, password, domain, *server = (found[key] for key in self.keys)
        where = re.match(r"[0-9.]+:[0-9]+", ":".join(server))
        assert where, server
        return ReadAccount(user, auth, password, domain, where[0])


_CONFIG = "/config[1]/"
_SNOM = tuple(
    f"settings/phone-settings[1]/{key}[1]"
    for key in ("user_name", "user_pname", "user_pass", "user_host", "user_outbound")
)
_FANVIL = tuple(
    f"sysConf/sip[1]/line[1]/{key}[1]"
    for key in ("PhoneNumber", "RegisterUser", "RegisterPswd", "RegisterAddr", "ProxyAddr", "ProxyPort")
)
_CISCO = tuple(f"flat-profile/{key}_1_[1]" for key in ("User_ID", "Auth_ID", "Password", "Proxy", "Outbound_Proxy"))
_NVM = "provisioning/nvm[1]/param[{}]@value"

PHONES: Final = (
    ScriptedPhone(
        "yealink/t54w", "805ec0000001", "Yealink SIP-T54W 96.86.0.70 80:5e:c0:00:00:01",
        ("{mac}.boot", "y000000000096.cfg", "{mac}.cfg"), "{mac}.cfg", "text",
        ("account.1.user_name", "account.1.auth_name", "account.1.password", "account.1.sip_server.1.address",
         "account.1.outbound_proxy.1.address", "account.1.outbound_proxy.1.port"), "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "polycom/vvx250", "64167f000002", "FileTransport PolycomVVX-VVX_250-UA/5.9.0.9373 Type/Application",
        ("{mac}.cfg", "{mac}-site.cfg", "{mac}-phone.cfg", "{mac}-web.cfg", "{mac}-directory.xml", "{mac}-license.cfg"),
        "{mac}-site.cfg", "xml",
        ("polycomConfig@reg.1.address", "polycomConfig@reg.1.auth.userId", "polycomConfig@reg.1.auth.password",
         "polycomConfig@reg.1.server.1.address", "polycomConfig@reg.1.outboundProxy.address",
         "polycomConfig@reg.1.outboundProxy.port"), "check-sync",
        optional=("{mac}-phone.cfg", "{mac}-web.cfg", "{mac}-directory.xml", "{mac}-license.cfg"),
    ),
    ScriptedPhone(
        "grandstream/gxp1610", "000b82000003", "Grandstream Model HW GXP1610 SW 1.0.5.15 DevId 000b82000003",
        ("cfg{mac}", "cfg{mac}.xml"), "cfg{mac}.xml", "xml",
        tuple(f"gs_provision{_CONFIG}{key}[1]" for key in ("P35", "P36", "P34", "P47", "P48")), "resync",
        optional=("cfg{mac}",),
    ),
    ScriptedPhone(
        "snom/d785", "000413000004",
        "Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-00004-g9ba52f5 000413000004 SXM:0 UXM:0 UXMC:0)",
        ("snomD785.htm", "snomD785-{MAC}.htm"), "snomD785-{MAC}.htm", "xml", _SNOM, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "snom/m900", "000413000014", "Mozilla/4.0 (compatible; Snom M900 05.20.0001 000413000014)",
        ("{MAC}.xml",), "{MAC}.xml", "xml", _SNOM, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "cisco/spa504g", "0002fd000005", "Cisco/SPA504G-7.4.8a (0002FD000005)(CBT141400UK)",
        ("spa504g.cfg", "spa{mac}.xml"), "spa{mac}.xml", "xml", _CISCO, "resync",
    ),
    ScriptedPhone(
        "mitel/6940", "00085d000006", "Mitel6940 MAC:00-08-5D-00-00-06 V:6.4.0.4006-SIP",
        ("startup.cfg", "6940.cfg", "{MAC}.cfg"), "{MAC}.cfg", "text",
        ("sip line1 user name", "sip line1 auth name", "sip line1 password", "sip line1 registrar ip",
         "sip line1 outbound proxy", "sip line1 outbound proxy port"), "check-sync", optional=("6940.cfg",),
    ),
    ScriptedPhone(
        "fanvil/x5u", "0c383e000007", "Fanvil X5U 2.12.1 0c383e000007", ("f0X5Uhw1.0.cfg", "{mac}.cfg"), "{mac}.cfg",
        "xml", _FANVIL, "check-sync", optional=("f0X5Uhw1.0.cfg",),
    ),
    ScriptedPhone(
        "htek/uc924", "001fc1000008", "Htek UC924 2.0.4.2 00:1f:c1:00:00:08", ("cfg0012.xml", "cfg{mac}.xml"),
        "cfg{mac}.xml", "xml",
        tuple(f"hl_provision{_CONFIG}{key}[1]" for key in ("P35", "P36", "P34", "P47", "P48")), "resync",
        optional=("cfg0012.xml",),
    ),
    ScriptedPhone(
        "gigaset/n870", "7c2f80000009", "Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;7C2F80000009", ("{MAC}.xml",),
        "{MAC}.xml", "xml", tuple(_NVM.format(place) for place in (16, 17, 18, 1, 7, 8)), "check-sync",
    ),
    ScriptedPhone(
        "panasonic/kx_hdv130", "0080f000000a", "Panasonic_KX-HDV130/08.100 (0080f000000a)",
        ("KX-HDV130.cfg", "Config{MAC}.cfg"), "Config{MAC}.cfg", "text",
        ("PHONE_NUMBER_1", "SIP_AUTHID_1", "SIP_PASS_1", "SIP_SVCDOMAIN_1", "SIP_OUTPROXY_ADDR_1",
         "SIP_OUTPROXY_PORT_1"), "check-sync;reboot=true",
    ),
    ScriptedPhone(
        "audiocodes/405hd", "00908f00000b", "AUDC-IPPhone/2.2.8.61 (405HD-Rev0; 00908F00000B)", ("{MAC}.cfg",),
        "{MAC}.cfg", "text",
        ("voip/line/0/id", "voip/line/0/auth_name", "voip/line/0/auth_password", "voip/signalling/sip/proxy_address",
         "voip/signalling/sip/sip_outbound_proxy/addr", "voip/signalling/sip/sip_outbound_proxy/port"), "check-sync",
    ),
    ScriptedPhone(
        "avaya/j139", "c81fea00000c", "AVAYA/J139-4.0.7 (MAC:C81FEA00000C)", ("J100Supgrade.txt", "{mac}.txt"),
        "{mac}.txt", "text",
        ("FORCE_SIP_EXTENSION", "FORCE_SIP_USERNAME", "FORCE_SIP_PASSWORD", "SIPDOMAIN", "SIP_CONTROLLER_LIST"),
        "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "algo/8180", "0022ee00000d", "Algo-8180/3.4", ("algom{MAC}.conf", "algo{MAC}.conf"), "algom{MAC}.conf", "text",
        ("sip.u1.user", "sip.u1.auth", "sip.u1.pwd", "sip.proxy", "sip.obproxy"), "check-sync",
    ),
    ScriptedPhone(
        "patton/sn4112", "00a0ba00000e", "SmartNode (Model:SN4112/JS/EUI; Serial:00A0BA00000E; Software Version:R6.9)",
        ("{mac}.cfg",), "{mac}.cfg", "text",
        ("location-service/identity[1].1", "authentication-service/username[1].1",
         "authentication-service/username[1].3", "location-service/domain[1].1", "location-service/registrar[1].1",
         "location-service/registrar[1].2"), "check-sync",
    ),
)  # fmt: skip
