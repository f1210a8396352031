"""DHCP option 43 for the phones of a plug-in: written by the edge's own server, and shown for the servers of others."""

from typing import Final

from contract.devices.model import Plugin

VENDOR_SPECIFIC: Final = 43
_MAX_BYTES: Final = 255


def vendor_specific(plugin: Plugin, url: str, host: str, vlan: int | None) -> bytes:
    """What stands in option 43 (RFC 2132 §8.4); empty when a vendor's phones take nothing in it, or it does not fit.

    Args:
        url: where the phones fetch.
        host: the edge, as phones reach it.
        vlan: the voice VLAN; without one, what names it is left out.
    """
    written = {
        code: text.replace("{url}", url).replace("{host}", host).replace("{vlan}", str(vlan)).encode()
        for code, text in plugin.vendor_options.items()
        if vlan is not None or "{vlan}" not in text
    }
    whole = written.get(0)
    if whole is None:
        parts = (bytes((code, len(value))) + value for code, value in written.items() if len(value) <= _MAX_BYTES)
        whole = b"".join(parts)
    return whole if len(whole) <= _MAX_BYTES else b""
