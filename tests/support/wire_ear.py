"""Hears what comes to an address, by its packets: G.711 as it arrives at a phone's door, however the phone plays it.

A packet socket (Linux, CAP_NET_RAW) sees what the network brings with its header, so that it says, too, how it is
marked (DSCP, RFC 2474). baresip 1.0 cannot tell what it hears: its recorder stops for good at the first hold.
"""

import ipaddress
import socket
import threading
import time
from collections import Counter, deque
from typing import Final, Self

import numpy as np

from edge_agent.media.embedded import g711

_ALL: Final = 0x0003
_OUTGOING: Final = 4
_IPV4, _IPV6 = 0x0800, 0x86DD
_UDP, _TCP = 17, 6
_RATE: Final = 8000
_FRESH_SECONDS: Final = 0.4


class WireEar:
    """Everything that comes to one address of the network namespace in which it is opened.

    Args:
        address: the address, of either family.
    """

    def __init__(self, address: str) -> None:
        self._address = ipaddress.ip_address(address).packed
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
        self._socket.settimeout(0.2)
        self._frames: deque[tuple[float, bytes]] = deque(maxlen=50)
        self._lock = threading.Lock()
        self.packets = 0
        """G.711 packets so far."""
        self.marks: dict[str, Counter[int]] = {"rtp": Counter(), "sip": Counter()}
        """How many packets of each kind came with which DSCP."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def hears(self) -> int:
        """The loudest frequency of the last half second, to 20 Hz; 0: nothing comes now, or it is silent."""
        with self._lock:
            frames = [payload for at, payload in self._frames if at > time.monotonic() - _FRESH_SECONDS]
        if len(frames) < 10:
            return 0
        samples = g711.decode(0, b"".join(frames)).astype(np.float64)
        if np.abs(samples).max() < 500:
            return 0
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n=_RATE))
        return round(float(spectrum.argmax()) / 20) * 20

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                data, source = self._socket.recvfrom(65_536)
            except TimeoutError:
                continue
            # What a machine sends to itself is seen twice.
            if source[2] != _OUTGOING:
                self._take(source[1], data)

    def _take(self, protocol: int, data: bytes) -> None:
        if protocol == _IPV4 and len(data) >= 20:
            start, kind, to, mark = (data[0] & 15) * 4, data[9], data[16:20], data[1] >> 2
        elif protocol == _IPV6 and len(data) >= 40:
            start, kind, to, mark = 40, data[6], data[24:40], (data[0] << 8 | data[1]) >> 6 & 63
        else:
            return
        if to != self._address:
            return
        if kind == _TCP:
            self.marks["sip"][mark] += 1
        elif kind == _UDP and len(data) > start + 8:
            self._datagram(data[start + 8 :], mark)

    def _datagram(self, content: bytes, mark: int) -> None:
        if b"SIP/2.0" in content[:200]:
            self.marks["sip"][mark] += 1
        elif len(content) == 172 and content[0] == 0x80 and content[1] & 0x7F == 0:
            self.marks["rtp"][mark] += 1
            with self._lock:
                self._frames.append((time.monotonic(), content[12:]))
                self.packets += 1
