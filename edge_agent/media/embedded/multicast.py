"""What is said in a mix, to a multicast address: one RTP stream for however many phones listen."""

import logging
import socket
from collections.abc import Iterable

import numpy as np

from edge_agent.media.codecs import PCMU, Codec
from edge_agent.media.embedded import coding, sockets
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.rtp import Packet
from edge_agent.media.errors import MulticastFailed
from edge_agent.media.session import MulticastTo
from edge_agent.network.marks import Dscp, mark
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

TICKS_A_SECOND = 50


class MulticastVoice:
    """A voice in a mix that says nothing, and sends what it hears: a packet at each 20 ms tick.

    Nobody answers, so there is no RTCP; phones tell the end of a page by packets that stop.

    Args:
        to: where the stream goes.
        interface: IPv4 address of the interface that it leaves by; empty: as the machine routes it.
        codecs: that this machine can do; without the wanted one it is PCMU, which every phone can.
        tokens: the numbers that a stream begins with are not to be guessed (RFC 3550 §5.1).

    Raises:
        MulticastFailed: there is no such interface, or no way to that address.
    """

    def __init__(self, to: MulticastTo, interface: str, codecs: Iterable[Codec], tokens: Tokens) -> None:
        self._codec = next((codec for codec in codecs if codec.name.value == to.codec), PCMU)
        self._coder = coding.coder(self._codec, self._codec.rate)
        self._to = (to.address, to.port)
        self._socket = _opened(to, interface)
        self._ssrc = int(tokens.token(4), 16)
        self._sequence = int(tokens.token(2), 16)
        self._timestamp = int(tokens.token(4), 16)
        self._silence: Samples = np.zeros(self.rate // TICKS_A_SECOND, dtype=np.int16)
        self.sent = self.not_sent = 0

    @property
    def rate(self) -> int:
        """Samples in a second of what is sent."""
        return self._codec.rate

    def listen(self) -> Samples:
        """Silence."""
        return self._silence

    def hear(self, others: Samples) -> None:
        """Send what the others say in this tick."""
        payload = self._coder.encode(others)
        first = not self.sent + self.not_sent
        data = Packet(self._codec.payload_type, self._sequence, self._timestamp, self._ssrc, payload, first).to_bytes()
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + self._codec.clock // TICKS_A_SECOND & 0xFFFFFFFF
        if sockets.send(self._socket, data, self._to):
            self.sent += 1
        else:
            self.not_sent += 1

    def close(self) -> None:
        """The stream ends."""
        self._socket.close()
        log.info("multicast_ended", extra={"address": self._to[0], "sent": self.sent, "not_sent": self.not_sent})


def _opened(to: MulticastTo, interface: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        mark(made, Dscp.VOICE)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, to.hops)
        if interface:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        made.connect((to.address, to.port))  # finds the way, sends nothing
    except OSError as error:
        made.close()
        raise MulticastFailed(f"{to.address}:{to.port} by {interface or 'any interface'}: {error.strerror}") from error
    return made
