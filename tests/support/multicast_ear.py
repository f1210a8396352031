"""Who listens to pages by multicast: sockets in groups on loopback, and a phone that goes by its own configuration."""

import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from select import select
from typing import Final, Self

import numpy as np
import numpy.typing as npt

LOOPBACK: Final = "127.0.0.1"
_IP_RECVTTL: Final = 12
"""ip(7); `socket` has no name for it."""
QUIET_SECONDS: Final = 0.5
"""Without a packet for so long, a page is over: of those that come every 20 ms a loaded machine delays some."""
Sound = npt.NDArray[np.float64]


def free_port() -> int:
    """An even UDP port that nothing holds, nor the next."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port % 2 == 0 and port < 65_000:
            return port


@dataclass(frozen=True)
class Arrived:
    """An RTP packet (RFC 3550 §5.1)."""

    at: float
    place: int
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    hops: int
    """How many networks it may still cross."""


class MulticastEar:
    """Joins groups and keeps every packet; `place` of a packet is that of its group, from 1 on.

    Args:
        groups: address and port of each.
    """

    def __init__(self, groups: Sequence[tuple[str, int]]) -> None:
        self.groups = tuple(groups)
        self.packets: list[Arrived] = []
        self._ended = threading.Event()
        self._stack = ExitStack()
        self._sockets: dict[socket.socket, int] = {}
        for place, (address, port) in enumerate(groups, 1):
            made = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
            made.bind((address, port))
            joined = socket.inet_aton(address) + socket.inet_aton(LOOPBACK)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            self._sockets[made] = place
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)
        self._stack.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            for each in select(list(self._sockets), [], [], 0.05)[0]:
                data, told, _, _ = each.recvmsg(2048, 64)
                hops = next(value[0] for level, kind, value in told if kind == socket.IP_TTL)
                first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
                assert first == 0x80, "version 2, nothing beside the payload"
                packet = Arrived(
                    time.monotonic(), self._sockets[each], second & 0x7F, bool(second & 0x80), sequence, timestamp,
                    ssrc, data[12:], hops,
                )  # fmt: skip
                self.packets.append(packet)
                self.took(packet)

    def took(self, packet: Arrived) -> None:
        """A packet came in."""

    def of(self, place: int) -> list[Arrived]:
        """What came to a group."""
        return [packet for packet in self.packets if packet.place == place]

    def is_quiet(self, place: int) -> bool:
        """Whether the page to a group is over."""
        found = self.of(place)
        return bool(found) and time.monotonic() - found[-1].at > QUIET_SECONDS


class ListeningPhone(MulticastEar):
    """A phone with a Yealink's configuration: it plays one page at a time, the most important one.

    Args:
        values: what it read in its file.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        told = [values[f"multicast.listen_address.{place}.ip_address"] for place in range(1, 11)]
        addresses = [one.partition(":") for one in told if one]
        assert values["multicast.receive_priority.enable"] == "1", "else the first page is played to its end"
        super().__init__([(address, int(port)) for address, _, port in addresses])
        self.plays: tuple[int, float] | None = None
        """Which place, and when it played last."""

    def took(self, packet: Arrived) -> None:
        over = self.plays is None or packet.at - self.plays[1] > QUIET_SECONDS
        if over or (self.plays is not None and packet.place <= self.plays[0]):
            self.plays = (packet.place, packet.at)


def sound_of(packets: Sequence[Arrived]) -> Sound:
    """The samples of PCMU packets, 8,000 a second (ITU-T G.711)."""
    codes = ~np.frombuffer(b"".join(packet.payload for packet in packets), dtype=np.uint8)
    exponent, mantissa = (codes >> 4) & 7, codes & 15
    magnitude = (((mantissa.astype(np.int32) << 3) + 0x84) << exponent) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.float64)


def has_tone(sound: Sound, hertz: int, rate: int = 8000) -> bool:
    """Whether some 200 ms of a sound have a tone of this pitch, whatever else is in them."""
    size = rate // 5
    for at in range(0, len(sound) - size + 1, size // 2):
        part = sound[at : at + size]
        power = np.abs(np.fft.rfft(part * np.hanning(size))) ** 2
        middle = round(hertz * size / rate)
        if np.sqrt(np.mean(part**2)) > 300 and power[middle - 3 : middle + 4].sum() > 0.05 * power.sum():
            return True
    return False
