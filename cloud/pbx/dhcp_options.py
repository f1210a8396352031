"""What a site's own DHCP server has to say so that phones find their files, ready to paste for the usual servers.

Options: 66 (RFC 2132 §9.4) with a URL for phones of today, 150 (RFC 5859) with the TFTP server's address, 159 and 160
with the URL, 43 with what the vendors' phones take inside it, and 132 with the voice VLAN.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final, Literal

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
    url = f"http://{host}:{http_port}/"
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


def snippets(options: list[Option]) -> list[Snippet]:
    """The text for each DHCP server."""
    return [
        Snippet("kea", "ISC Kea", "In Dhcp4 of kea-dhcp4.conf", _kea(options)),
        Snippet("dnsmasq", "dnsmasq", "In a file of /etc/dnsmasq.d", _dnsmasq(options)),
        Snippet("windows", "Windows Server", "In PowerShell, as an administrator", _windows(options)),
        Snippet(
            "mikrotik", "MikroTik RouterOS", "In a terminal; the network's own name at the end", _mikrotik(options)
        ),
    ]


def _kea(options: list[Option]) -> str:
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
    return '"option-def": [\n' + ",\n".join(defined) + '\n],\n"option-data": [\n' + ",\n".join(data) + "\n]\n"


def _dnsmasq(options: list[Option]) -> str:
    lines = []
    for option in options:
        value = f'"{option.value}"' if option.kind == "text" else option.value
        lines.append(f"# {option.purpose}\ndhcp-option-force={option.code},{value}")
    return "\n".join(lines) + "\n"


def _windows(options: list[Option]) -> str:
    lines = []
    for option in options:
        kind = "String" if option.kind == "text" else "IPv4Address"
        if option.code != _SERVER_NAME:  # Windows knows it
            name = f"Tandem {option.code}"
            lines.append(f'Add-DhcpServerv4OptionDefinition -Name "{name}" -OptionId {option.code} -Type {kind}')
        lines.append(f'Set-DhcpServerv4OptionValue -OptionId {option.code} -Value "{option.value}"')
    return "\n".join(lines) + "\n"


def _mikrotik(options: list[Option]) -> str:
    lines = [
        f"/ip dhcp-server option add name=tandem-{option.code} code={option.code} value=\"'{option.value}'\""
        for option in options
    ]
    names = ",".join(f"tandem-{option.code}" for option in options)
    lines.append(f"/ip dhcp-server option sets add name=tandem options={names}")
    lines.append("/ip dhcp-server network set [find] dhcp-option-set=tandem")
    return "\n".join(lines) + "\n"


def _is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
