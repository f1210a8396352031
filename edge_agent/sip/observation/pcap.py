"""The messages of a call as a capture file (pcap, link type RAW): what Wireshark and its like open.

The messages are as they were cut from their transport and have their secrets masked; IP and UDP around them are made
up, over UDP from the true addresses, over streams so that each message is one packet.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from edge_agent.sip.message import Flow
from edge_agent.sip.observation.ladder import ANSWER_BYTES, WallTime
from edge_agent.sip.observation.masking import masked
from edge_agent.sip.observation.tape import Recording

_FILE: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)
"""Little-endian, microseconds, LINKTYPE_RAW (tcpdump.org/linktypes.html)."""
_UDP: Final = 17
_TTL: Final = 64
_IP4_BYTES, _IP6_BYTES, _UDP_BYTES = 20, 40, 8
_LARGEST: Final = 65_535 - _IP4_BYTES - _UDP_BYTES

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def pcap_of(recording: Recording, local: Mapping[str, tuple[str, int]], wall: WallTime) -> bytes:
    """A capture file.

    Args:
        recording: the messages.
        local: host and port of the edge by transport.
        wall: for the packets' moments.
    """
    parts = [_FILE]
    for heard in recording.messages(ANSWER_BYTES):
        here, there = _local(local, heard.flow), (_address(heard.flow.host), heard.flow.port)
        source, target = (here, there) if heard.sent else (there, here)
        packet = _packet(source, target, masked(heard.data)[:_LARGEST])
        parts += (_head(wall.of(heard.at), len(packet)), packet)
    return b"".join(parts)


def _head(at: datetime, length: int) -> bytes:
    return struct.pack("<IIII", int(at.timestamp()), at.microsecond, length, length)


def _local(local: Mapping[str, tuple[str, int]], flow: Flow) -> tuple[_Address, int]:
    host, port = local.get(flow.transport) or next(iter(local.values()), ("", 0))
    return _address(host), port


def _address(host: str) -> _Address:
    """A numeric address; names, which packets cannot have, become 0.0.0.0."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return ipaddress.IPv4Address(0)


def _packet(source: tuple[_Address, int], target: tuple[_Address, int], data: bytes) -> bytes:
    (here, from_port), (there, to_port) = source, target
    datagram = struct.pack("!HHHH", from_port & 0xFFFF, to_port & 0xFFFF, len(data) + _UDP_BYTES, 0) + data
    if isinstance(here, ipaddress.IPv4Address) and isinstance(there, ipaddress.IPv4Address):
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, _IP4_BYTES + len(datagram), 0, 0, _TTL, _UDP, 0, here.packed, there.packed
        )
        return head[:10] + _checksum(head) + head[12:] + datagram
    ends = _as_v6(here) + _as_v6(there)
    # Unlike over IPv4, a checksum is needed (RFC 8200 §8.1).
    checksum = _checksum(ends + struct.pack("!II", len(datagram), _UDP) + datagram)
    datagram = datagram[:6] + (checksum if checksum != b"\0\0" else b"\xff\xff") + datagram[8:]
    return struct.pack("!IHBB", 0x6000_0000, len(datagram), _UDP, _TTL) + ends + datagram


def _as_v6(address: _Address) -> bytes:
    """Mapped where only one end is of IPv6, as a name is (RFC 4291 §2.5.5.2)."""
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def _checksum(data: bytes) -> bytes:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)
