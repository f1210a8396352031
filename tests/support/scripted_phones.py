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
        resync: the event by which it fetches again; empty: it has none, and fetches when it starts.
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
_YEALINK = (
    "account.1.user_name", "account.1.auth_name", "account.1.password", "account.1.sip_server.1.address",
    "account.1.outbound_proxy.1.address", "account.1.outbound_proxy.1.port",
)  # fmt: skip
_POLY_NAMES = (
    "{mac}.cfg", "{mac}-site.cfg", "{mac}-phone.cfg", "{mac}-web.cfg", "{mac}-directory.xml", "{mac}-license.cfg",
)  # fmt: skip
_POLY = tuple(
    f"polycomConfig@reg.1.{key}"
    for key in ("address", "auth.userId", "auth.password", "server.1.address", "outboundProxy.address",
                "outboundProxy.port")
)  # fmt: skip
_MITEL = tuple(
    f"sip line1 {key}"
    for key in ("user name", "auth name", "password", "registrar ip", "outbound proxy", "outbound proxy port")
)
_SEP_LINE = "device/sipProfile[1]/sipLines[1]/line[1]"
_MEDIAPACK = (
    "TrunkGroup 0.TrunkGroup_FirstPhoneNumber", "Authentication 0.Authentication_UserId",
    "Authentication 0.Authentication_UserPassword", "SIPGatewayName", "ProxyIp 0.ProxyIp_IpAddress",
)  # fmt: skip


def _grandstream(*keys: str) -> tuple[str, ...]:
    return tuple(f"gs_provision{_CONFIG}{key}[1]" for key in keys)


_NVM = "provisioning/nvm[1]/param[{}]@value"

PHONES: Final = (
    ScriptedPhone(
        "yealink/t54w", "805ec0000001", "Yealink SIP-T54W 96.86.0.70 80:5e:c0:00:00:01",
        ("{mac}.boot", "y000000000096.cfg", "{mac}.cfg"), "{mac}.cfg", "text",
        _YEALINK, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "polycom/vvx250", "64167f000002", "FileTransport PolycomVVX-VVX_250-UA/5.9.0.9373 Type/Application",
        _POLY_NAMES, "{mac}-site.cfg", "xml", _POLY, "check-sync", optional=_POLY_NAMES[2:],
    ),
    ScriptedPhone(
        "grandstream/gxp1610", "000b82000003", "Grandstream Model HW GXP1610 SW 1.0.5.15 DevId 000b82000003",
        ("cfg{mac}", "cfg{mac}.xml"), "cfg{mac}.xml", "xml",
        _grandstream("P35", "P36", "P34", "P47", "P48"), "resync", optional=("cfg{mac}",),
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
        _MITEL, "check-sync", optional=("6940.cfg",),
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
    # Further families of the same vendors: DECT bases, conference phones, adapters, gateways, older and newer series.
    ScriptedPhone(
        "yealink/w70b", "805ec000000f", "Yealink W70B 146.85.0.20 80:5e:c0:00:00:0f",
        ("{mac}.boot", "y000000000146.cfg", "{mac}.cfg"), "{mac}.cfg", "text", _YEALINK, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "yealink/cp960", "805ec0000010", "Yealink SIP-CP960 73.86.0.5 80:5e:c0:00:00:10",
        ("{mac}.boot", "y000000000073.cfg", "{mac}.cfg"), "{mac}.cfg", "text", _YEALINK, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "yealink/t23g", "001565000011", "Yealink SIP-T23G 44.84.0.140 00:15:65:00:00:11",
        ("y000000000044.cfg", "{mac}.cfg"), "{mac}.cfg", "text", _YEALINK, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "yealink/t88w", "805ec0000012", "Yealink SIP-T88W 192.86.0.5 805ec0000012",
        ("{mac}.boot", "y000000000192.cfg", "{mac}.cfg"), "{mac}.cfg", "text", _YEALINK, "check-sync;reboot=false",
    ),
    ScriptedPhone(
        "polycom/trio8800", "64167f000013", "FileTransport PolycomRealPresenceTrio-Trio_8800-UA/5.9.5.3182",
        _POLY_NAMES, "{mac}-site.cfg", "xml", _POLY, "check-sync", optional=_POLY_NAMES[2:],
    ),
    ScriptedPhone(
        "polycom/edge_e220", "482567000014", "FileTransport PolyEdge-Edge_E220-UA/8.1.0.1234 Type/Application",
        _POLY_NAMES, "{mac}-site.cfg", "xml", _POLY, "check-sync", optional=_POLY_NAMES[2:],
    ),
    ScriptedPhone(
        "polycom/spip650", "0004f2000015", "FileTransport PolycomSoundPointIP-SPIP_650-UA/4.0.14.1388",
        _POLY_NAMES, "{mac}-site.cfg", "xml", _POLY, "check-sync", optional=_POLY_NAMES[2:],
    ),
    ScriptedPhone(
        "grandstream/grp2614", "c074ad000016", "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c074ad000016",
        ("cfg{mac}", "cfg{mac}.xml", "cfggrp2614.xml", "cfg.xml"), "cfg{mac}.xml", "xml",
        _grandstream("P35", "P36", "P34", "P47", "P48"), "resync", optional=("cfg{mac}", "cfggrp2614.xml", "cfg.xml"),
    ),
    ScriptedPhone(
        "grandstream/ht802", "000b82000017", "Grandstream Model HW HT802 SW 1.0.29.8 DevId 000b82000017",
        ("cfg{mac}", "cfg{mac}.xml"), "cfg{mac}.xml", "xml", _grandstream("P35", "P36", "P34", "P47", "P48"), "resync",
        optional=("cfg{mac}",),
    ),
    ScriptedPhone(
        "grandstream/gxw4216", "000b82000018", "Grandstream Model HW GXW4216 SW 1.0.13.7 DevId 000b82000018",
        ("cfg{mac}", "cfg{mac}.xml"), "cfg{mac}.xml", "xml",
        _grandstream("P4060", "P4090", "P4120", "P47", "P2312"), "resync", optional=("cfg{mac}",),
    ),
    ScriptedPhone(
        "cisco/cp8841", "00562b000019", "Cisco-CP-8841-3PCC/11.3.1 (00562B000019)", ("{mac}.xml",), "{mac}.xml", "xml",
        _CISCO, "resync",
    ),
    ScriptedPhone(
        "cisco/cp7965", "00562b00001a", "",
        ("CTLSEP{MAC}.tlv", "ITLSEP{MAC}.tlv", "ITLFile.tlv", "SEP{MAC}.cnf.xml", "dialplan.xml"), "SEP{MAC}.cnf.xml",
        "xml",
        (f"{_SEP_LINE}/name[1]", f"{_SEP_LINE}/authName[1]", f"{_SEP_LINE}/authPassword[1]", f"{_SEP_LINE}/proxy[1]",
         "device/sipProfile[1]/sipProxies[1]/outboundProxy[1]",
         "device/sipProfile[1]/sipProxies[1]/outboundProxyPort[1]"), "check-sync",
        optional=("CTLSEP{MAC}.tlv", "ITLSEP{MAC}.tlv", "ITLFile.tlv"),
    ),
    ScriptedPhone(
        "mitel/6731i", "00085d00001b", "Aastra6731i MAC:00-08-5D-00-00-1B V:3.3.1.4365-SIP",
        ("aastra.cfg", "6731i.cfg", "{MAC}.cfg"), "{MAC}.cfg", "text", _MITEL, "check-sync", optional=("6731i.cfg",),
    ),
    ScriptedPhone(
        "mitel/6867i", "00085d00001c", "Mitel6867i MAC:00-08-5D-00-00-1C V:5.1.0.1024-SIP",
        ("startup.cfg", "6867i.cfg", "{MAC}.cfg"), "{MAC}.cfg", "text", _MITEL, "check-sync", optional=("6867i.cfg",),
    ),
    ScriptedPhone(
        "audiocodes/mp118", "00908f00001d", "", ("{MAC}.ini",), "{MAC}.ini", "text", _MEDIAPACK, "check-sync",
    ),
    ScriptedPhone(
        "audiocodes/mediant_800", "00908f00001e", "", ("{MAC}.ini",), "{MAC}.ini", "text", _MEDIAPACK, "check-sync",
    ),
    ScriptedPhone(
        "algo/8301", "0022ee00001f", "Algo-8301/3.4", ("algom{MAC}.conf", "algo{MAC}.conf"), "algo{MAC}.conf", "text",
        ("sip.u1.user", "sip.u1.auth", "sip.u1.pwd", "sip.proxy", "sip.obproxy"), "check-sync",
    ),
    ScriptedPhone(
        "generic/sip", "020000000020", "", ("{mac}.conf",), "{mac}.conf", "text",
        ("account.1.username", "account.1.auth_username", "account.1.password", "account.1.domain",
         "account.1.registrar", "account.1.port"), "",
    ),
)  # fmt: skip
