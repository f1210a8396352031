"""What a site's own DHCP server has to say so that phones find their files, ready to paste for the usual servers.

Options: 66 (RFC 2132 §9.4) with a URL for phones of today, 150 (RFC 5859) with the TFTP server's address, 159 and 160
with the URL, 43 with what the vendors' phones take inside it, and 132 with the voice VLAN.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal

from contract.devices import Catalogue
from contract.devices.vendor_options import VENDOR_SPECIFIC, vendor_specific

Server = Literal["kea", "dnsmasq", "windows", "mikrotik"]
VLAN_OPTION: Final = 132
_SERVER_NAME: Final = 66
_PORT_PARAMETERS: Final = 159


@dataclass(frozen=True, slots=True)
class Option:
    """One option to set."""

    code: int
    kind: Literal["text", "addresses"]
    value: str
    purpose: str


@dataclass(frozen=True, slots=True)
class VendorOption:
    """Option 43 for the phones of one vendor, who are known by the first half of their MAC addresses."""

    vendor: str
    label: str
    ouis: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text to paste for one DHCP server."""

    server: Server
    label: str
    where: str
    text: str


def options_for(host: str, http_port: int, voice_vlan: int | None) -> list[Option]:
    """The options of a site.

    Args:
        host: name or IPv4 address of the edge, as phones reach it.
        http_port: where it serves phones' files by HTTP.
        voice_vlan: told to phones where the site has one.
    """
    url = _url(host, http_port)
    found = [Option(_SERVER_NAME, "text", url, "Provisioning server: nearly every phone")]
    if _is_address(host):
        found.append(Option(150, "addresses", host, "TFTP servers: Cisco"))
    found += [
        Option(_PORT_PARAMETERS, "text", url, "Provisioning server: Mitel, Panasonic, Cisco"),
        Option(160, "text", url, "Provisioning server: Poly, Panasonic, AudioCodes, Cisco"),
    ]
    if voice_vlan is not None:
        found.append(Option(VLAN_OPTION, "text", str(voice_vlan), "Voice VLAN: Snom, Yealink and others"))
    return found


def vendor_options_for(catalogue: Catalogue, host: str, http_port: int, voice_vlan: int | None) -> list[VendorOption]:
    """Option 43 for each vendor whose phones take something in it; the arguments are those of `options_for`."""
    url = _url(host, http_port)
    return [
        VendorOption(plugin.vendor, plugin.label, tuple(sorted(plugin.ouis)), content)
        for _, plugin in sorted(catalogue.plugins.items())
        if plugin.ouis and (content := vendor_specific(plugin, url, host, voice_vlan))
    ]


def snippets(options: list[Option], vendors: list[VendorOption]) -> list[Snippet]:
    """The text for each DHCP server."""
    return [
        Snippet("kea", "ISC Kea", "In Dhcp4 of kea-dhcp4.conf", _kea(options, vendors)),
        Snippet("dnsmasq", "dnsmasq", "In a file of /etc/dnsmasq.d", _dnsmasq(options, vendors)),
        Snippet("windows", "Windows Server", "In PowerShell, as an administrator", _windows(options, vendors)),
        Snippet(
            "mikrotik",
            "MikroTik RouterOS",
            "In a terminal; the networks' and leases' own names where it says find",
            _mikrotik(options, vendors),
        ),
    ]


def _url(host: str, http_port: int) -> str:
    return f"http://{host}:{http_port}/"


def _kea(options: list[Option], vendors: list[VendorOption]) -> str:
    defined, data = [], []
    for option in options:
        place = f'"code": {option.code}, "space": "dhcp4"'
        if option.code == _PORT_PARAMETERS:
            # RFC 7618 gave this number to something else, so that Kea takes what phones expect in it as bytes only.
            content = f'"csv-format": false, "data": "{option.value.encode().hex()}"'
            data.append(f"    {{ {place}, {content} }}")
            continue
        name = "tftp-server-name" if option.code == _SERVER_NAME else f"tandem-{option.code}"
        if option.code != _SERVER_NAME:  # Kea knows it
            kind = '"string"' if option.kind == "text" else '"ipv4-address", "array": true'
            defined.append(f'    {{ "name": "{name}", {place}, "type": {kind} }}')
        data.append(f'    {{ "name": "{name}", {place}, "data": "{option.value}" }}')
    parts = {"option-def": defined, "option-data": data, "client-classes": [_kea_class(vendor) for vendor in vendors]}
    return ",\n".join(f'"{name}": [\n' + ",\n".join(each) + "\n]" for name, each in parts.items() if each) + "\n"


def _kea_class(vendor: VendorOption) -> str:
    test = " or ".join(f"substring(pkt4.mac, 0, 3) == 0x{oui}" for oui in vendor.ouis)
    # Without a definition of its own Kea looks for options inside, and some vendors' phones take a text.
    defined = f'{{ "name": "vendor-encapsulated-options", "code": {VENDOR_SPECIFIC}, "type": "binary" }}'
    data = f'{{ "name": "vendor-encapsulated-options", "csv-format": false, "data": "{vendor.content.hex()}"'
    return (
        f'    {{ "name": "tandem-{vendor.vendor}", "test": "{test}",\n'
        f'      "option-def": [ {defined} ],\n'
        f'      "option-data": [ {data}, "always-send": true }} ] }}'
    )


def _dnsmasq(options: list[Option], vendors: list[VendorOption]) -> str:
    lines = []
    for option in options:
        value = f'"{option.value}"' if option.kind == "text" else option.value
        lines.append(f"# {option.purpose}\ndhcp-option-force={option.code},{value}")
    for vendor in vendors:
        tag = f"tandem-{vendor.vendor}"
        lines.append(f"# What phones of {vendor.label} take in option {VENDOR_SPECIFIC}")
        lines += [f"dhcp-mac=set:{tag},{_pairs(oui)}:*:*:*" for oui in vendor.ouis]
        lines.append(f"dhcp-option-force=tag:{tag},{VENDOR_SPECIFIC},{vendor.content.hex(':')}")
    return "\n".join(lines) + "\n"


def _windows(options: list[Option], vendors: list[VendorOption]) -> str:
    lines = []
    for option in options:
        kind = "String" if option.kind == "text" else "IPv4Address"
        if option.code != _SERVER_NAME:  # Windows knows it
            name = f"Tandem {option.code}"
            lines.append(f'Add-DhcpServerv4OptionDefinition -Name "{name}" -OptionId {option.code} -Type {kind}')
        lines.append(f'Set-DhcpServerv4OptionValue -OptionId {option.code} -Value "{option.value}"')
    for vendor in vendors:
        policy = f'"Tandem {vendor.label}"'
        whose = ",".join(f'"{oui.upper()}*"' for oui in vendor.ouis)
        content = ",".join(f"0x{byte:02X}" for byte in vendor.content)
        lines.append(f"Add-DhcpServerv4Policy -Name {policy} -Condition OR -MacAddress EQ,{whose}")
        lines.append(f"Set-DhcpServerv4OptionValue -PolicyName {policy} -OptionId {VENDOR_SPECIFIC} -Value {content}")
    return "\n".join(lines) + "\n"


def _mikrotik(options: list[Option], vendors: list[VendorOption]) -> str:
    lines = [
        f"/ip dhcp-server option add name=tandem-{option.code} code={option.code} value=\"'{option.value}'\""
        for option in options
    ]
    names = ",".join(f"tandem-{option.code}" for option in options)
    lines.append(f"/ip dhcp-server option sets add name=tandem options={names}")
    lines.append("/ip dhcp-server network set [find] dhcp-option-set=tandem")
    for vendor in vendors:
        own = f"tandem-{vendor.vendor}"
        whose = "|".join(_pairs(oui).upper() for oui in vendor.ouis)
        value = f"0x{vendor.content.hex()}"
        lines.append(f"/ip dhcp-server option add name={own} code={VENDOR_SPECIFIC} value={value}")
        lines.append(f"/ip dhcp-server option sets add name={own} options={names},{own}")
        lines.append(f'/ip dhcp-server lease set [find dynamic=no mac-address~"^({whose})"] dhcp-option-set={own}')
    return "\n".join(lines) + "\n"


def _pairs(oui: str) -> str:
    return ":".join(re.findall("..", oui))


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
