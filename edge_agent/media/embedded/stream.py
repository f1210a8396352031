"""One call's audio, without sockets or clock: datagrams in, a packet out at each 20 ms tick.

`receive` and `tick` return what the engine must know in a closed union; the engine performs it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_agent.media.embedded import g711, rtp
from edge_agent.media.embedded.concealment import Concealer
from edge_agent.media.embedded.delay import DelayControl
from edge_agent.media.embedded.digits import DigitReader
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.playout import PlayoutBuffer
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.source import Address, SourceLock
from edge_agent.media.embedded.srtp import SrtpReceiver, SrtpSender
from edge_agent.media.embedded.tones import ToneReader
from edge_agent.media.sdp import AudioPlan, Direction
from edge_agent.tokens import Tokens

FRAME = 160
"""Samples in a tick of 20 ms."""
MOST_AHEAD = 3200
"""Samples, 400 ms: a sender whose packets lie further ahead has begun a new time line, or a burst of old ones came."""
_SILENCE = np.zeros(FRAME, dtype=np.int16)
_NOT_KNOWN = np.zeros(FRAME, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram was not used."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class Digit:
    """The peer pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class Send:
    """A packet is to go out."""

    data: bytes
    to: Address


@dataclass(frozen=True, slots=True)
class Played:
    """The last sample of the prompt has been handed out."""


@dataclass(frozen=True, slots=True)
class WentSilent:
    """Nothing has come from the peer for as long as the settings allow."""


Received = Dropped | Digit | None
Ticked = Send | Digit | Played | WentSilent


class AudioStream:
    """The audio of one call: it hears through the playout buffer, and says a prompt, an echo or silence.

    `silence_seconds` is how long a peer may be quiet while both sides talk, `held_seconds` while the call is on hold.
    Every `now` is seconds on one monotonic clock.
    """

    def __init__(self, tokens: Tokens, now: float, silence_seconds: float, held_seconds: float) -> None:
        self._ssrc = int(tokens.token(4), 16)
        self._sequence = int(tokens.token(2), 16)
        self._timestamp = int(tokens.token(4), 16)
        self._plan: AudioPlan | None = None
        self._sender: SrtpSender | None = None
        self._receiver: SrtpReceiver | None = None
        self._source = SourceLock(None)
        self._playout = PlayoutBuffer(most_ahead=MOST_AHEAD)
        self._delay = DelayControl(FRAME)
        self._concealer = Concealer()
        self._digits = DigitReader()
        self._tones = ToneReader()
        self._prompt: Samples | None = None
        self._prompt_at = 0
        self._marker = True
        self._heard: Samples | None = None
        self._mixed: Samples | None = None
        self._heard_at = now
        self._silence_seconds, self._held_seconds = silence_seconds, held_seconds
        self.echoing = False
        self.hearer: Callable[[Samples], None] | None = None
        """Told each 20 ms what the peer says."""
        self.packets_received = 0
        self.packets_sent = 0

    def agree(self, plan: AudioPlan, now: float) -> None:
        """The outcome of an offer and its answer, at the beginning or in the middle of a call."""
        self._source.redescribe(plan.remote)
        before = self._plan.srtp if self._plan is not None else None
        if (keys := plan.srtp) is None:
            self._sender, self._receiver = None, None
        else:  # a key that stays goes on with its count of packets (RFC 4568 §6.4)
            if self._sender is None or before is None or before.ours != keys.ours:
                self._sender = SrtpSender(keys.ours, keys.tag_bytes)
            if self._receiver is None or before is None or before.theirs != keys.theirs:
                self._receiver = SrtpReceiver(keys.theirs, keys.tag_bytes)
        self._plan, self._heard_at = plan, now

    def play(self, prompt: Samples) -> None:
        """Say a prompt from its beginning, instead of one that may be playing; `Played` tells its end."""
        self._prompt, self._prompt_at = prompt, 0

    def stop_playing(self) -> None:
        """Say no more of the prompt; no `Played` follows."""
        self._prompt = None

    @property
    def playing(self) -> bool:
        """Whether a prompt is being said."""
        return self._prompt is not None

    @property
    def played(self) -> int:
        """How many samples of the prompt that is playing have been said."""
        return self._prompt_at

    def receive(self, data: bytes, source: Address, now: float) -> Received:
        """A datagram came in."""
        if self._receiver is not None:
            opened = self._receiver.unprotect(data)
            if isinstance(opened, DropReason):
                return Dropped(opened)
            data = opened
        packet = rtp.parse(data)
        if isinstance(packet, DropReason):
            return Dropped(packet)
        plan = self._plan
        if plan is None or not plan.direction.receives:
            return Dropped(DropReason.NOT_RECEIVING)
        is_event = packet.payload_type == plan.event_type
        if not is_event and packet.payload_type not in plan.accepted:
            return Dropped(DropReason.PAYLOAD_TYPE)
        admitted = self._source.admit(packet, source)
        if isinstance(admitted, DropReason):
            return Dropped(admitted)
        if admitted:
            self._playout.restart()
            self._delay.restart()
            self._concealer.restart()
            self._digits.restart()
        self._heard_at = now
        self.packets_received += 1
        return self._event(packet) if is_event else self._audio(packet)

    def _event(self, packet: Packet) -> Received:
        match self._digits.receive(packet):
            case None:
                return None
            case DropReason() as reason:
                return Dropped(reason)
            case str() as digit:
                return Digit(digit)

    def _audio(self, packet: Packet) -> Received:
        restarts = self._playout.restarts
        reason = self._playout.push(packet.timestamp, g711.decode(packet.payload_type, packet.payload))
        if self._playout.restarts == restarts:
            self._delay.arrived(self._playout.slack)
        else:
            self._delay.restart()
        return None if reason is None else Dropped(reason)

    def listen(self) -> Samples:
        """What the peer says in the tick that comes next."""
        if self._heard is None:
            self._heard = self._hear()
        return self._heard

    def hear(self, others: Samples) -> None:
        """Say this at the next tick, unless a prompt is to be said: what the others of a mix say."""
        self._mixed = others

    def tick(self, now: float) -> list[Ticked]:
        """20 ms have passed: the packet to send, the end of a prompt, the end of patience."""
        heard, self._heard = self.listen(), None
        plan = self._plan
        if plan is None:
            return []
        if self.hearer is not None:
            self.hearer(heard)
        out: list[Ticked] = []
        if plan.event_type is None and plan.direction.receives:
            out += [Digit(digit) for digit in self._tones.hear(heard)]
        frame = self._next_frame(heard, out)
        destination = self._source.destination
        if plan.direction.sends and destination is not None:
            packet = Packet(
                plan.codec, self._sequence, self._timestamp, self._ssrc, g711.encode(plan.codec, frame), self._marker
            )
            data = packet.to_bytes()
            out.append(Send(data if self._sender is None else self._sender.protect(data), destination))
            self._sequence = self._sequence + 1 & 0xFFFF
            self._marker = False
            self.packets_sent += 1
        else:
            self._marker = True
        self._timestamp = self._timestamp + FRAME & 0xFFFFFFFF
        # On hold is whatever is not plain talk: phones that say sendonly often send nothing all the same.
        talking = plan.direction is Direction.SENDRECV and plan.remote is not None
        patience = self._silence_seconds if talking else self._held_seconds
        if now - self._heard_at > patience:
            self._heard_at = now
            out.append(WentSilent())
        return out

    def _hear(self) -> Samples:
        """The peer's next frame, as well as it can be told from what has arrived."""
        if self._delay.grow():
            return self._concealer.fill(_SILENCE, _NOT_KNOWN)
        samples, known = self._playout.pull(FRAME)
        if self._delay.shrink(samples):
            samples, known = self._playout.pull(FRAME)
        return self._concealer.fill(samples, known)

    def _next_frame(self, heard: Samples, out: list[Ticked]) -> Samples:
        mixed, self._mixed = self._mixed, None
        if self._prompt is not None:
            frame = self._prompt[self._prompt_at : self._prompt_at + FRAME]
            self._prompt_at += FRAME
            if self._prompt_at >= len(self._prompt):
                self._prompt = None
                out.append(Played())
                frame = np.pad(frame, (0, FRAME - len(frame)))
            return frame
        if mixed is not None:
            return mixed
        return heard if self.echoing else _SILENCE
