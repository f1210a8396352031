"""DHCP messages (RFC 2131 §2, RFC 2132, long options of RFC 3396): bytes to values and back.

Any bytes give a message or `PacketRefused`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final

from edge_agent.provisioning.errors import ProvisioningError

FIXED_BYTES: Final = 236
MAGIC: Final = b"\x63\x82\x53\x63"
MIN_BYTES: Final = 300
"""RFC 1542 §2.1: shorter ones are thrown away by some relays."""
MAX_BYTES: Final = 1472
"""Of one Ethernet frame."""
DEFAULT_BYTES: Final = 548
"""What every client takes (RFC 2131 §2: an IP datagram of 576)."""
BROADCAST: Final = 0x8000
NOWHERE: Final = IPv4Address(0)
EVERYBODY: Final = IPv4Address("255.255.255.255")

_PAD, _END, _OVERLOAD = 0, 255, 52
_SNAME: Final = slice(44, 108)
_FILE: Final = slice(108, 236)


class Operation(IntEnum):
    """`op`."""

    REQUEST = 1
    REPLY = 2


class Kind(IntEnum):
    """Option 53 (RFC 2132 §9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


_KINDS: Final = frozenset(map(int, Kind))


class Code(IntEnum):
    """Options that are read or written here."""

    SUBNET_MASK = 1
    ROUTER = 3
    NAME_SERVERS = 6
    BROADCAST_ADDRESS = 28
    NTP_SERVERS = 42
    VENDOR_SPECIFIC = 43
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    KIND = 53
    SERVER = 54
    WANTED = 55
    MESSAGE = 56
    MAX_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    VENDOR_CLASS = 60
    CLIENT_ID = 61
    RELAY = 82


class PacketRefused(ProvisioningError):
    """Bytes that are no DHCP message of an Ethernet client."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `options` by their number, those that came in parts put together, in their order."""

    operation: Operation
    kind: Kind
    transaction: int
    mac: str
    """The client's, twelve lower-case hexadecimal digits."""
    client: IPv4Address = NOWHERE
    """`ciaddr`: the address that the client has."""
    yours: IPv4Address = NOWHERE
    """`yiaddr`: the address that it is given."""
    server: IPv4Address = NOWHERE
    """`siaddr`."""
    relay: IPv4Address = NOWHERE
    """`giaddr`."""
    seconds: int = 0
    flags: int = 0
    hops: int = 0
    options: Mapping[int, bytes] = field(default_factory=dict)

    def address(self, code: Code) -> IPv4Address | None:
        """The address that an option holds; None without one."""
        value = self.options.get(code, b"")
        return IPv4Address(value) if len(value) == 4 else None

    def text(self, code: Code) -> str:
        """The text that an option holds, in printable characters."""
        value = self.options.get(code, b"").decode("utf-8", "replace")
        return "".join(character for character in value if character.isprintable())


def parse(data: bytes) -> Message:
    """The message that these bytes are.

    Raises:
        PacketRefused: they are none.
    """
    if len(data) < FIXED_BYTES + len(MAGIC) or data[FIXED_BYTES : FIXED_BYTES + 4] != MAGIC:
        raise PacketRefused("no DHCP message")
    if data[0] not in (1, 2) or data[1] != 1 or data[2] != 6:
        raise PacketRefused("not of an Ethernet client")
    options = _options(data)
    kind = options.get(Code.KIND, b"")
    if len(kind) != 1 or kind[0] not in _KINDS:
        raise PacketRefused("no kind of message")
    return Message(
        Operation(data[0]),
        Kind(kind[0]),
        int.from_bytes(data[4:8]),
        data[28:34].hex(),
        client=IPv4Address(data[12:16]),
        yours=IPv4Address(data[16:20]),
        server=IPv4Address(data[20:24]),
        relay=IPv4Address(data[24:28]),
        seconds=int.from_bytes(data[8:10]),
        flags=int.from_bytes(data[10:12]),
        hops=data[3],
        options=options,
    )


def serialise(message: Message, limit: int = MAX_BYTES) -> bytes:
    """The message as bytes; an option that does not fit any more is left away, so the needed ones stand first.

    Args:
        limit: how many bytes the receiver takes.
    """
    fixed = bytes((message.operation, 1, 6, message.hops)) + message.transaction.to_bytes(4)
    fixed += message.seconds.to_bytes(2) + message.flags.to_bytes(2)
    fixed += message.client.packed + message.yours.packed + message.server.packed + message.relay.packed
    fixed += bytes.fromhex(message.mac).ljust(16, b"\0") + bytes(64 + 128) + MAGIC
    room = max(MIN_BYTES, min(limit, MAX_BYTES)) - len(fixed) - 1
    written = bytearray((Code.KIND, 1, message.kind))
    for code, value in message.options.items():
        if code == Code.KIND:
            continue
        parts = [value[place : place + 255] for place in range(0, len(value), 255)] or [b""]
        option = b"".join(bytes((code, len(part))) + part for part in parts)
        if len(written) + len(option) <= room:
            written += option
    return (fixed + bytes(written) + bytes((_END,))).ljust(MIN_BYTES, b"\0")


def _options(data: bytes) -> dict[int, bytes]:
    """Every option; those in `file` and `sname` too, where option 52 says that some are there (RFC 2131 §4.1)."""
    found: dict[int, bytearray] = {}
    _read(data[FIXED_BYTES + len(MAGIC) :], found)
    overload = found.pop(_OVERLOAD, b"\0")
    if len(overload) == 1 and overload[0] & 1:
        _read(data[_FILE], found)
    if len(overload) == 1 and overload[0] & 2:
        _read(data[_SNAME], found)
    found.pop(_OVERLOAD, None)
    return {code: bytes(value) for code, value in found.items()}


def _read(data: bytes, found: dict[int, bytearray]) -> None:
    place = 0
    while place < len(data) and data[place] != _END:
        code = data[place]
        place += 1
        if code == _PAD:
            continue
        if place >= len(data) or place + 1 + data[place] > len(data):
            raise PacketRefused("an option is cut off")
        length = data[place]
        found.setdefault(code, bytearray()).extend(data[place + 1 : place + 1 + length])
        place += 1 + length


def sub_options(value: bytes) -> dict[int, bytes]:
    """The parts of an option that consists of options, such as 82; what is cut off is left away."""
    found: dict[int, bytes] = {}
    place = 0
    while place + 2 <= len(value) and place + 2 + value[place + 1] <= len(value):
        found.setdefault(value[place], value[place + 2 : place + 2 + value[place + 1]])
        place += 2 + value[place + 1]
    return found


def packed(addresses: tuple[IPv4Address, ...]) -> bytes:
    """Addresses as an option holds them."""
    return b"".join(address.packed for address in addresses)
