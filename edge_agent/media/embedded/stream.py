"""One call's audio, without sockets or clock: datagrams in, a packet out at each 20 ms tick.

`receive` and `tick` return what the engine must know in a closed union; the engine performs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edge_agent.media.codecs import NARROW
from edge_agent.media.embedded import coding, rtcp, rtp
from edge_agent.media.embedded.digits import DigitReader
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.incoming import Incoming
from edge_agent.media.embedded.reports import Reports
from edge_agent.media.embedded.resampling import Fitter
from edge_agent.media.embedded.rtp import DropReason, Packet
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.source import Address, SourceLock
from edge_agent.media.embedded.srtp import SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender
from edge_agent.media.embedded.tones import ToneReader
from edge_agent.media.quality import LegQuality
from edge_agent.media.sdes import SrtpKeys
from edge_agent.media.sdp import AudioPlan, Direction
from edge_agent.tokens import Tokens

TICKS_A_SECOND = 50
FIRST_CLOCK = 8000
"""Ticks of the RTP timestamp in a second, as long as no codec was agreed on."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram was not used."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class Digit:
    """The peer pressed a key."""

    digit: str


class Send(NamedTuple):
    """A packet is to go out; a tuple, since there is one for each call at each tick."""

    data: bytes
    to: Address


@dataclass(frozen=True, slots=True)
class SendReport:
    """A datagram of RTCP is to go out; where RTCP has a port of its own, from there."""

    data: bytes
    to: Address


@dataclass(frozen=True, slots=True)
class Played:
    """The last sample of the prompt has been handed out."""


@dataclass(frozen=True, slots=True)
class WentSilent:
    """Nothing has come from the peer for as long as the settings allow."""


Received = Dropped | Digit | None
Ticked = Send | SendReport | Digit | Played | WentSilent


class AudioStream:
    """The audio of one call: it hears through the playout buffer, and says a prompt, an echo or silence.

    Its frames have the rate of the codecs that were agreed on, the wider one's where there are several.
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
        self._report_sender: SrtcpSender | None = None
        self._report_receiver: SrtcpReceiver | None = None
        self._source = SourceLock(None)
        self._reports = Reports(self._ssrc, FIRST_CLOCK, tokens, now)
        self._reports_from: Address | None = None
        self._tune(None)
        self._digits = DigitReader()
        self._prompt: Sound | None = None
        self._prompt_at = 0
        self._fitter = Fitter()
        self._marker = True
        self._heard_at = now
        self._silence_seconds, self._held_seconds = silence_seconds, held_seconds
        self._patience = held_seconds
        self._receives = self._sends = False
        self.echoing = False
        self.hearer: Callable[[Samples], None] | None = None
        """Told each 20 ms what the peer says."""
        self.packets_received = 0
        self.packets_sent = 0
        self._octets_sent = 0

    def _tune(self, plan: AudioPlan | None) -> None:
        """Hear and speak by the codecs of a plan."""
        codecs = {} if plan is None else plan.codecs
        self._clock = FIRST_CLOCK if plan is None else codecs[plan.codec].clock
        self._reports.use_clock(self._clock)
        self.rate = max((codec.rate for codec in codecs.values()), default=NARROW)
        """Samples in a second of what is heard and said."""
        opus = None if plan is None else plan.opus
        self._coders = {number: coding.coder(codec, self.rate, opus) for number, codec in codecs.items()}
        self._coder = None if plan is None else self._coders[plan.codec]
        self._incoming = Incoming(self.rate, codecs, self._coders)
        self._tones = ToneReader(self.rate)
        self._silence = np.zeros(self.rate // TICKS_A_SECOND, dtype=np.int16)
        self._heard: Samples | None = None
        self._mixed: Samples | None = None

    def agree(self, plan: AudioPlan, now: float) -> None:
        """The outcome of an offer and its answer, at the beginning or in the middle of a call."""
        self._source.redescribe(plan.remote)
        before = self._plan
        self._key(plan.srtp, None if before is None else before.srtp)
        self._key_reports(plan.srtcp or plan.srtp, None if before is None else before.srtcp or before.srtp)
        if self._plan is None or self._plan.rtcp != plan.rtcp:
            self._reports_from = None
        if self._plan is None or (plan.codec, plan.codecs, plan.opus) != (
            self._plan.codec,
            self._plan.codecs,
            self._plan.opus,
        ):
            self._tune(plan)
        self._plan, self._heard_at = plan, now
        # On hold is whatever is not plain talk: phones that say sendonly often send nothing all the same.
        talking = plan.direction is Direction.SENDRECV and plan.remote is not None
        self._patience = self._silence_seconds if talking else self._held_seconds
        self._receives, self._sends = plan.direction.receives, plan.direction.sends

    def _key(self, keys: SrtpKeys | None, before: SrtpKeys | None) -> None:
        """Encrypt by these keys; one that stays goes on with its count of packets (RFC 4568 §6.4)."""
        if keys is None:
            self._sender, self._receiver = None, None
            return
        if self._sender is None or before is None or before.ours != keys.ours:
            self._sender = SrtpSender(keys.ours, keys.tag_bytes)
        if self._receiver is None or before is None or before.theirs != keys.theirs:
            self._receiver = SrtpReceiver(keys.theirs, keys.tag_bytes)

    def _key_reports(self, keys: SrtpKeys | None, before: SrtpKeys | None) -> None:
        """As `_key`, for RTCP."""
        if keys is None:
            self._report_sender, self._report_receiver = None, None
            return
        if self._report_sender is None or before is None or before.ours != keys.ours:
            self._report_sender = SrtcpSender(keys.ours)
        if self._report_receiver is None or before is None or before.theirs != keys.theirs:
            self._report_receiver = SrtcpReceiver(keys.theirs)

    def play(self, prompt: Sound) -> None:
        """Say a prompt from its beginning, instead of one that may be playing; `Played` tells its end."""
        self._prompt, self._prompt_at, self._fitter = prompt, 0, Fitter()

    def stop_playing(self) -> None:
        """Say no more of the prompt; no `Played` follows."""
        self._prompt = None

    @property
    def playing(self) -> bool:
        """Whether a prompt is being said."""
        return self._prompt is not None

    @property
    def played_seconds(self) -> float:
        """How much of the prompt that is playing has been said."""
        return 0.0 if self._prompt is None else self._prompt_at / self._prompt.rate

    def receive(self, data: bytes, source: Address, now: float) -> Received:
        """A datagram came in where audio does."""
        if self._plan is not None and self._plan.rtcp_mux and rtcp.is_rtcp(data):
            return self.receive_report(data, source, now)
        if self._receiver is not None:
            opened = self._receiver.unprotect(data)
            if isinstance(opened, DropReason):
                return Dropped(opened)
            data = opened
        packet = rtp.parse(data)
        if isinstance(packet, DropReason):
            return Dropped(packet)
        plan = self._plan
        if plan is None or not self._receives:
            return Dropped(DropReason.NOT_RECEIVING)
        is_event = packet.payload_type == plan.event_type
        if not is_event and packet.payload_type not in plan.accepted:
            return Dropped(DropReason.PAYLOAD_TYPE)
        admitted = self._source.admit(packet, source)
        if isinstance(admitted, DropReason):
            return Dropped(admitted)
        if admitted:
            self._reports.new_peer(packet.ssrc)
            self._incoming.restart()
            self._digits.restart()
        self._heard_at = now
        self.packets_received += 1
        self._reports.reception.arrived(packet, now, timed=not is_event)
        return self._event(packet) if is_event else self._audio(packet)

    def receive_report(self, data: bytes, source: Address, now: float) -> Dropped | None:
        """A datagram came in where RTCP does; only the host that the audio comes from, or is to come from, counts."""
        plan, peer = self._plan, self._source.destination
        if plan is None or peer is None or source[0] != peer[0]:
            return Dropped(DropReason.RTCP_SOURCE)
        if self._report_receiver is not None:
            opened = self._report_receiver.unprotect(data)
            if isinstance(opened, DropReason):
                return Dropped(opened)
            data = opened
        compound = rtcp.parse(data)
        if isinstance(compound, DropReason):
            return Dropped(compound)
        self._reports_from = source
        self._reports.received_compound(compound, now)
        return None

    @property
    def muxed(self) -> bool:
        """Whether reports go with the audio, by its port."""
        return self._plan is not None and self._plan.rtcp_mux

    def goodbye(self, now: float) -> SendReport | None:
        """The last report of the call; None where nobody takes it."""
        to = self._reports_to()
        if to is None:
            return None
        data = self._reports.datagram(self._timestamp, self.packets_sent, self._octets_sent, now, leaves=True)
        return SendReport(self._protected(data), to)

    @property
    def codec(self) -> str:
        """What was agreed last, by its name in SDP; empty: nothing was."""
        if self._plan is None:
            return ""
        return self._plan.codecs[self._plan.codec].encoding.partition("/")[0]

    def quality(self) -> LegQuality:
        """How well the peer was heard, and told that it heard us."""
        return self._reports.quality(self._incoming.wait_seconds)

    def _reports_to(self) -> Address | None:
        if self._plan is None or self._plan.remote is None:
            return None
        return self._source.destination if self._plan.rtcp_mux else self._reports_from or self._plan.rtcp

    def _protected(self, report: bytes) -> bytes:
        return report if self._report_sender is None else self._report_sender.protect(report)

    def _event(self, packet: Packet) -> Received:
        match self._digits.receive(packet):
            case None:
                return None
            case DropReason() as reason:
                return Dropped(reason)
            case str() as digit:
                return Digit(digit)

    def _audio(self, packet: Packet) -> Received:
        reason = self._incoming.push(packet)
        if reason is DropReason.LATE:
            self._reports.late += 1
        return None if reason is None else Dropped(reason)

    def listen(self) -> Samples:
        """What the peer says in the tick that comes next."""
        if self._heard is None:
            self._heard = self._incoming.next_frame()
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
        if plan.event_type is None and self._receives:
            out += [Digit(digit) for digit in self._tones.hear(heard)]
        frame = self._next_frame(heard, out)
        destination = self._source.destination
        if self._sends and destination is not None and self._coder is not None:
            payload = self._coder.encode(frame)
            kind = plan.codec | 0x80 if self._marker else plan.codec
            data = rtp.HEADER.pack(0x80, kind, self._sequence, self._timestamp, self._ssrc) + payload
            out.append(Send(data if self._sender is None else self._sender.protect(data), destination))
            self._sequence = self._sequence + 1 & 0xFFFF
            self._marker = False
            self.packets_sent += 1
            self._octets_sent += len(payload)
        else:
            self._marker = True
        self._timestamp = self._timestamp + self._clock // TICKS_A_SECOND & 0xFFFFFFFF
        if (
            now >= self._reports.due_at
            and (to := self._reports_to()) is not None
            and (report := self._reports.due(self._timestamp, self.packets_sent, self._octets_sent, now))
        ):
            out.append(SendReport(self._protected(report), to))
        if now - self._heard_at > self._patience:
            self._heard_at = now
            out.append(WentSilent())
        return out

    def _next_frame(self, heard: Samples, out: list[Ticked]) -> Samples:
        mixed, self._mixed = self._mixed, None
        if self._prompt is not None:
            step = self._prompt.rate // TICKS_A_SECOND
            frame = self._prompt.samples[self._prompt_at : self._prompt_at + step]
            self._prompt_at += step
            if self._prompt_at >= len(self._prompt.samples):
                self._prompt = None
                out.append(Played())
                frame = np.pad(frame, (0, step - len(frame)))
            return self._fitter.fit(frame, len(self._silence))
        if mixed is not None:
            return mixed
        return heard if self.echoing else self._silence
