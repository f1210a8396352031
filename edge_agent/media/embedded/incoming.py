"""What a peer says, from its packets to frames of 20 ms: put in order, decoded when its time comes, holes filled.

A packet is decoded only when it is to be heard. By then those that overtook each other are in their order again, which
codecs with a memory (G.722) need.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from edge_agent.media.codecs import Codec
from edge_agent.media.embedded.coding import Coder
from edge_agent.media.embedded.concealment import Concealer
from edge_agent.media.embedded.delay import DelayControl
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.playout import PlayoutBuffer
from edge_agent.media.embedded.rtp import DropReason, Packet

FRAME_SECONDS: Final = 0.02
FIRST_WAIT: Final = 2
"""Frames that audio waits at first."""
_MOST_AHEAD: Final = 20
"""Frames, 400 ms: a sender whose packets lie further ahead has begun a new time line, or a burst of old ones came."""
_MOST_CONCEALED: Final = 5
"""Frames in a row that a codec conceals by itself; then there is a pause, or the peer has gone."""
_MOST_WAITING: Final = 64
"""Packets that wait for their time; the first of more is decoded before it."""
_WRAP: Final = 1 << 32


class Incoming:
    """One stream of audio.

    Args:
        rate: samples in a second of the frames that come out.
        codecs: by the payload types that the peer may send.
        coders: for the same payload types, with samples of `rate`.
    """

    def __init__(self, rate: int, codecs: Mapping[int, Codec], coders: Mapping[int, Coder]) -> None:
        self._rate, self._codecs, self._coders = rate, codecs, coders
        self.frame = int(rate * FRAME_SECONDS)
        """Samples of a frame."""
        self._playout = PlayoutBuffer(FIRST_WAIT * self.frame, most_ahead=_MOST_AHEAD * self.frame)
        self._delay = DelayControl(self.frame)
        self._concealer = Concealer(rate)
        self._waiting: list[tuple[int, Packet]] = []
        """In the order of their positions; of two at one, the first that came is the first."""
        self._silence = np.zeros(self.frame, dtype=np.int16)
        self._nothing_known = np.zeros(self.frame, dtype=np.bool_)
        self._ticks: int | None = None
        self._decoded: int | None = None
        self._end: int | None = None
        self._concealed = self._last = 0

    def restart(self) -> None:
        """Another sender begins."""
        self._playout.restart()
        self._delay.restart()
        self._concealer.restart()
        self._waiting.clear()
        self._ticks = self._decoded = self._end = None

    @property
    def wait_seconds(self) -> float:
        """How long audio waits before it is heard."""
        return (FIRST_WAIT + self._delay.grown + 1) * FRAME_SECONDS

    def push(self, packet: Packet) -> DropReason | None:
        """A packet of audio came."""
        position = self._position(packet)
        restarts = self._playout.restarts
        reason = self._playout.place(position, self._coders[packet.payload_type].length(packet.payload))
        if self._playout.restarts == restarts:
            self._delay.arrived(self._playout.slack)
        else:
            self._delay.restart()
            self._waiting.clear()
            self._end = None
        if reason is None:
            waiting, place = self._waiting, len(self._waiting)
            while place and (position - waiting[place - 1][0]) % _WRAP >= _WRAP // 2:
                place -= 1
            waiting.insert(place, (position, packet))
            if len(waiting) > _MOST_WAITING:
                self._decode_first()
        return reason

    def next_frame(self) -> Samples:
        """The next 20 ms, as well as they can be told from what has arrived."""
        if self._delay.grow():
            return self._concealer.fill(self._silence, self._nothing_known)
        straight = self._straight()
        if straight is not None and not self._delay.shrink(straight):
            return self._concealer.went_on(straight)
        if straight is not None:
            self._decode_due()
            return self._concealer.fill(*self._playout.pull(self.frame))
        self._decode_due()
        samples, known = self._playout.pull(self.frame)
        if self._delay.shrink(samples):
            self._decode_due()
            samples, known = self._playout.pull(self.frame)
        return self._concealer.fill(samples, known)

    def _straight(self) -> Samples | None:
        """The next frame where it is just what one packet holds, as it nearly always is; None: it is not so simple."""
        if not self._waiting:
            return None
        position, packet = self._waiting[0]
        if (
            not self._playout.is_next(position)
            or (self._end is not None and self._end != position)
            or position == self._decoded
            or self._coders[packet.payload_type].length(packet.payload) != self.frame
        ):
            return None
        del self._waiting[0]
        samples = self._coders[packet.payload_type].decode(packet.payload)
        self._decoded, self._last, self._concealed = position, packet.payload_type, 0
        self._end = (position + self.frame) % _WRAP
        self._playout.pass_by(self.frame)
        return samples

    def _position(self, packet: Packet) -> int:
        """The place of a packet's first sample, of 32 bits that wrap as its timestamp does."""
        if self._ticks is None:
            self._ticks = packet.timestamp
        else:  # wraps are counted, since the clock of some codecs is no divisor of the rate
            self._ticks += (packet.timestamp - self._ticks + _WRAP // 2) % _WRAP - _WRAP // 2
        return self._ticks * self._rate // self._codecs[packet.payload_type].clock % _WRAP

    def _decode_due(self) -> None:
        """Decode what is to be heard in the next frame, and have a codec that can do so conceal what has not come."""
        while self._waiting:
            position, packet = self._waiting[0]
            ahead = self._playout.ahead(position)
            self._conceal(ahead, packet)
            if ahead >= self.frame:
                return
            self._decode_first()
        self._conceal(self.frame, None)

    def _decode_first(self) -> None:
        position, packet = self._waiting.pop(0)
        if position == self._decoded:  # it came twice
            return
        samples = self._coders[packet.payload_type].decode(packet.payload)
        self._playout.write(position, samples)
        self._decoded, self._last, self._concealed = position, packet.payload_type, 0
        self._end = (position + len(samples)) % _WRAP

    def _conceal(self, until: int, following: Packet | None) -> None:
        """Fill what lacks between the last packet and `until`, samples ahead, if the next frame needs it."""
        if self._end is None or self._concealed >= _MOST_CONCEALED * self.frame:
            return
        begin = self._playout.ahead(self._end)
        if begin >= self.frame or begin >= until:
            return
        payload = b"" if following is None else following.payload
        made = self._coders[self._last].conceal(until - begin, payload)
        if made is not None:
            self._playout.write(self._end, made)
            self._end = (self._end + len(made)) % _WRAP
            self._concealed += len(made)
