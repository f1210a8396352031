"""TFTP packets (RFC 1350 §5, RFC 2347): bytes to values and back. Any bytes give a value or `PacketRefused`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

from edge_agent.provisioning.errors import ProvisioningError

MAX_REQUEST_BYTES: Final = 512
"""RFC 2347: a request, with its options, is at most this long."""
MAX_OPTIONS: Final = 16

Mode = Literal["octet", "netascii"]
_MODES: Final[Mapping[str, Mode]] = {"octet": "octet", "netascii": "netascii"}


ACKNOWLEDGEMENT: Final = b"\0\4"
ERROR: Final = b"\0\5"
"""How these packets begin."""


class ErrorCode(IntEnum):
    """RFC 1350 appendix I, RFC 2347."""

    NOT_DEFINED = 0
    FILE_NOT_FOUND = 1
    ACCESS_VIOLATION = 2
    DISK_FULL = 3
    ILLEGAL_OPERATION = 4
    UNKNOWN_TRANSFER = 5
    FILE_EXISTS = 6
    NO_SUCH_USER = 7
    OPTION_REFUSED = 8


class PacketRefused(ProvisioningError):
    """Bytes that are no TFTP packet, or none that is accepted."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """RRQ: please send me this file."""

    name: str
    mode: Mode
    options: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name, in the order given; the first counts when one is given twice."""


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """WRQ: I have a file for you."""

    name: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """ACK."""

    block: int


@dataclass(frozen=True, slots=True)
class ErrorPacket:
    """ERROR: it is over."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; only a client receives it."""

    block: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class OptionAcknowledgement:
    """OACK; only a client receives it."""

    options: Mapping[str, str]


Packet = ReadRequest | WriteRequest | Acknowledgement | ErrorPacket | Data | OptionAcknowledgement


def parse(data: bytes) -> Packet:
    """The packet that these bytes are.

    Raises:
        PacketRefused: they are none; the error carries what to answer.
    """
    operation, rest = int.from_bytes(data[:2]), data[2:]
    if len(data) < 4:
        raise PacketRefused(ErrorCode.ILLEGAL_OPERATION, "too short")
    match operation:
        case 1 | 2:
            return _request(operation, data)
        case 3:
            return Data(int.from_bytes(rest[:2]), rest[2:])
        case 4:
            return Acknowledgement(int.from_bytes(rest[:2]))
        case 5:
            text = rest[2:].partition(b"\0")[0].decode("ascii", "replace")
            return ErrorPacket(int.from_bytes(rest[:2]), text)
        case 6:
            return OptionAcknowledgement(_pairs(_strings(rest)))
    raise PacketRefused(ErrorCode.ILLEGAL_OPERATION, "unknown operation")


def _request(operation: int, data: bytes) -> ReadRequest | WriteRequest:
    if len(data) > MAX_REQUEST_BYTES:
        raise PacketRefused(ErrorCode.ILLEGAL_OPERATION, "request too long")
    fields = _strings(data[2:])
    if len(fields) < 2:
        raise PacketRefused(ErrorCode.ILLEGAL_OPERATION, "a request needs a name and a mode")
    name, mode = fields[0], fields[1].lower()
    if operation == 2:
        return WriteRequest(name)
    if mode in _MODES:
        return ReadRequest(name, _MODES[mode], _pairs(fields[2:]))
    raise PacketRefused(ErrorCode.ILLEGAL_OPERATION, "unknown mode")


def _strings(data: bytes) -> list[str]:
    """NUL-terminated strings; the last may lack its NUL, as some phones leave it away."""
    parts = data.split(b"\0")
    if parts[-1] == b"":
        parts.pop()
    if len(parts) > 2 + 2 * MAX_OPTIONS:
        raise PacketRefused(ErrorCode.OPTION_REFUSED, "too many options")
    return [part.decode("utf-8", "replace") for part in parts]


def _pairs(fields: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        found.setdefault(name.lower(), value)
    return found


def data_packet(block: int, payload: bytes) -> bytes:
    """DATA; `block` is taken modulo 65536."""
    return b"\0\3" + (block & 0xFFFF).to_bytes(2) + payload


def acknowledgement(block: int) -> bytes:
    """ACK; `block` is taken modulo 65536."""
    return ACKNOWLEDGEMENT + (block & 0xFFFF).to_bytes(2)


def error_packet(code: ErrorCode, text: str) -> bytes:
    """ERROR."""
    return ERROR + int(code).to_bytes(2) + text.encode("ascii", "replace").replace(b"\0", b"?") + b"\0"


def option_acknowledgement(options: Mapping[str, str]) -> bytes:
    """OACK."""
    return b"\0\6" + b"".join(part.encode() + b"\0" for pair in options.items() for part in pair)


def request(name: str, mode: Mode, options: Mapping[str, str] | None = None) -> bytes:
    """RRQ, as a client sends it."""
    fields = [name, mode, *(part for pair in (options or {}).items() for part in pair)]
    return b"\0\1" + b"".join(field.encode() + b"\0" for field in fields)
