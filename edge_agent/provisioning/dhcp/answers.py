"""What a phone is told by DHCP besides its address: where its files are, in the options that its vendor's phones take.

Options: 66 (RFC 2132 §9.4), 150 (RFC 5859), 114, 159 and 160 with the URL, 132 with the voice VLAN, and 43 with what
the plug-in says. A computer that boots from the network asks for 66 too and gets none of them.
"""

from ipaddress import IPv4Address
from typing import Final

from contract.devices import Plugin
from contract.devices.vendor_options import vendor_specific
from edge_agent.provisioning.dhcp.config import Range
from edge_agent.provisioning.dhcp.packet import Code, Message, packed

URL_OPTIONS: Final = (66, 159, 160, 114)
TFTP_SERVERS: Final = 150
VLAN: Final = 132
_BOOTS_FROM_NETWORK: Final = ("PXEClient", "HTTPClient")


def phone_options(
    message: Message, plugin: Plugin | None, url: str, host: IPv4Address, vlan: int | None
) -> dict[int, bytes]:
    """The options by which a phone finds its files.

    Args:
        message: what it sent; the options that it wants are in it.
        plugin: of its vendor; None: not known.
        url: where phones fetch.
        host: the edge, on the phone's network.
        vlan: the voice VLAN, if there is one.
    """
    if plugin is None and message.text(Code.VENDOR_CLASS).startswith(_BOOTS_FROM_NETWORK):
        return {}
    has: dict[int, bytes] = {}
    if url:
        has = {code: url.encode() for code in URL_OPTIONS}
    has[TFTP_SERVERS] = host.packed
    if vlan is not None:
        has[VLAN] = str(vlan).encode()
    if plugin is not None and url and (inside := vendor_specific(plugin, url, str(host), vlan)):
        has[Code.VENDOR_SPECIFIC] = inside
    theirs = plugin.dhcp_options if plugin is not None else ()
    wanted = dict.fromkeys((*theirs, *message.options.get(Code.WANTED, b"")))
    return {code: has[code] for code in wanted if code in has}


def network_options(described: Range) -> dict[int, bytes]:
    """What every client of a range is told of its network."""
    network = described.network
    told = {
        int(Code.SUBNET_MASK): network.netmask.packed,
        int(Code.BROADCAST_ADDRESS): network.broadcast_address.packed,
    }
    if described.router is not None:
        told[Code.ROUTER] = described.router.packed
    if described.name_servers:
        told[Code.NAME_SERVERS] = packed(described.name_servers)
    if described.ntp_servers:
        told[Code.NTP_SERVERS] = packed(described.ntp_servers)
    return told
