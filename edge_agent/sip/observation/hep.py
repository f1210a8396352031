"""HEP3, the Homer Encapsulation Protocol: how a copy of each SIP message reaches a Homer or Heplify server.

Chunks of vendor 0 as the HEP3 specification of SIPCAPTURE has them (`HEP3_Network_Protocol_Specification_REV_36`).
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

from edge_agent.sip.message.flow import Transport

_MAGIC: Final = b"HEP3"
_HEAD: Final = struct.Struct("!4sH")
_CHUNK: Final = struct.Struct("!HHH")
_FAMILY, _PROTOCOL = 0x0001, 0x0002
_SOURCE_4, _TARGET_4, _SOURCE_6, _TARGET_6 = 0x0003, 0x0004, 0x0005, 0x0006
_SOURCE_PORT, _TARGET_PORT = 0x0007, 0x0008
_SECONDS, _MICROSECONDS = 0x0009, 0x000A
_KIND, _CAPTURE_ID, _PASSWORD, _PAYLOAD = 0x000B, 0x000C, 0x000E, 0x000F
_SIP: Final = 1
_IP_PROTOCOL: Final[dict[Transport, int]] = {"udp": 17, "tcp": 6, "tls": 6, "ws": 6, "wss": 6}
_INET, _INET6 = 2, 10
LARGEST_PAYLOAD: Final = 60_000
"""What goes into one datagram; a longer message is cut."""


def hep_packet(
    data: bytes,
    transport: Transport,
    source: tuple[str, int],
    target: tuple[str, int],
    at: float,
    capture_id: int,
    password: bytes = b"",
) -> bytes:
    """One message for Homer.

    Args:
        data: the message.
        transport: what it went over.
        source: address and port that sent it.
        target: address and port that it went to.
        at: seconds since 1970, UTC.
        capture_id: which agent tells, as Homer shall show it; 32 bits.
        password: what the server asks its agents for; empty: nothing.
    """
    here, there = _address(source[0]), _address(target[0])
    if here.version != there.version:
        here, there = _as_v6(here), _as_v6(there)
    seconds = int(at)
    four = here.version == 4
    chunks = [
        _chunk(_FAMILY, bytes((_INET if four else _INET6,))),
        _chunk(_PROTOCOL, bytes((_IP_PROTOCOL[transport],))),
        _chunk(_SOURCE_4 if four else _SOURCE_6, here.packed),
        _chunk(_TARGET_4 if four else _TARGET_6, there.packed),
        _chunk(_SOURCE_PORT, struct.pack("!H", source[1] & 0xFFFF)),
        _chunk(_TARGET_PORT, struct.pack("!H", target[1] & 0xFFFF)),
        _chunk(_SECONDS, struct.pack("!I", seconds & 0xFFFF_FFFF)),
        _chunk(_MICROSECONDS, struct.pack("!I", int((at - seconds) * 1_000_000))),
        _chunk(_KIND, bytes((_SIP,))),
        _chunk(_CAPTURE_ID, struct.pack("!I", capture_id & 0xFFFF_FFFF)),
    ]
    if password:
        chunks.append(_chunk(_PASSWORD, password))
    chunks.append(_chunk(_PAYLOAD, data[:LARGEST_PAYLOAD]))
    body = b"".join(chunks)
    return _HEAD.pack(_MAGIC, _HEAD.size + len(body)) + body


def _chunk(kind: int, value: bytes) -> bytes:
    return _CHUNK.pack(0, kind, _CHUNK.size + len(value)) + value


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(host: str) -> _Address:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return ipaddress.IPv4Address(0)


def _as_v6(address: _Address) -> ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
