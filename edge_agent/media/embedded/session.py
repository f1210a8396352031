"""A call on the embedded engine: `MediaSession` over an `AudioStream`, its socket and its SIP leg."""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from edge_agent.clock import Clock
from edge_agent.media import sdp
from edge_agent.media.bridging import bridge
from edge_agent.media.codecs import Codec
from edge_agent.media.embedded import sockets
from edge_agent.media.embedded.dtls import DtlsIdentity
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.keying import KEYS_SECONDS, Keying
from edge_agent.media.embedded.recorder import Recorder
from edge_agent.media.embedded.rooms import Room, Rooms
from edge_agent.media.embedded.secure_path import Media, Outgoing, SecurePath, Unused
from edge_agent.media.embedded.sound import Sound
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.embedded.source import Address
from edge_agent.media.embedded.stream import AudioStream, Digit, Dropped, Played, Send, SendReport, WentSilent
from edge_agent.media.errors import NotAcceptable, RecordingFailed, SessionEnded
from edge_agent.media.happenings import Happenings
from edge_agent.media.sdes import KEY_BYTES
from edge_agent.media.session import (
    Collected,
    DigitPressed,
    EndCause,
    MediaSession,
    Prompt,
    PromptPlayed,
    Recorded,
    RecordingEnd,
    Seat,
    SessionEvent,
    warning_value,
)
from edge_agent.ports import CallLeg, QualityTold, Transfer
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

TRANSFER_SECONDS: Final = 30.0
"""How long a phone has to say what became of the call that it was asked to place; one that says nothing has gone."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a call may be quiet, in seconds: `silence` one whose peer should send, `held` one on hold; and how long
    it may last, `longest`, from its arrival on."""

    silence_seconds: float = 60.0
    held_seconds: float = 3600.0
    longest_seconds: float = 43_200.0


class EmbeddedSession:
    """One call. Made by the engine; raises `CallRefused` at once when the offer cannot be answered."""

    def __init__(
        self,
        leg: CallLeg,
        rtp: socket.socket,
        rtcp: socket.socket,
        sounds: Sounds,
        rooms: Rooms,
        codecs: tuple[Codec, ...],
        identity: DtlsIdentity,
        limits: SessionLimits,
        clock: Clock,
        tokens: Tokens,
        closed: Callable[["EmbeddedSession"], None],
        measured: QualityTold,
    ) -> None:
        self._leg, self._rtp, self._rtcp, self._sounds = leg, rtp, rtcp, sounds
        self._clock, self._closed, self._measured = clock, closed, measured
        self._stream = AudioStream(tokens, clock.monotonic(), limits.silence_seconds, limits.held_seconds)
        self._ends_at = clock.monotonic() + limits.longest_seconds
        self._codecs = codecs
        self._rooms, self._room, self._tokens = rooms, "", tokens
        self._sdp_id, self._sdp_version = int(tokens.token(4), 16), 0
        self._srtp_key = bytes.fromhex(tokens.token(KEY_BYTES))
        self._keying = Keying(identity, tokens)
        self._plan: sdp.AudioPlan | None = None
        self._agreed: sdp.AudioPlan | None = None
        self._audible_by: float | None = None
        self._port = int(rtp.getsockname()[1])
        self._address: str | None = None
        self._by_our_order = False
        """Whether offers of the peer are answered by our order of codecs, since it was us who called."""
        self._happenings = Happenings()
        self._confirmed, self._audible = asyncio.Event(), asyncio.Event()
        self.drops: Counter[str] = Counter()
        self._description = b""
        self._arguments: Mapping[str, str] = leg.arguments
        self.replaces: MediaSession | None = None
        """See `MediaSession.replaces`."""
        self._describe(leg.offer)

    def replace(self, other: MediaSession) -> None:
        """Take another call's place, and what the dial plan said of it."""
        self.replaces, self._arguments = other, other.arguments

    @property
    def caller(self) -> str:
        """User part of the caller's address; not proven."""
        return self._leg.caller

    @property
    def caller_name(self) -> str:
        """What the caller is called; not proven."""
        return self._leg.caller_name

    @property
    def asserted(self) -> str:
        """User part of the address that the proxy vouches for."""
        return self._leg.asserted

    @property
    def arguments(self) -> Mapping[str, str]:
        """What the dial plan tells about this call."""
        return self._arguments

    @property
    def description(self) -> bytes:
        """Our session description, as it was said last."""
        return self._description

    @property
    def stream(self) -> AudioStream:
        """The audio, for its figures."""
        return self._stream

    # What an application asks for (MediaSession).

    async def ring(self) -> None:
        """See `MediaSession.ring`."""
        self._happenings.check()
        self._leg.ring()

    async def answer(self) -> None:
        """Take the call; returns when the caller has confirmed it, and can be heard and hear."""
        self._happenings.check()
        self._leg.answer(self._description)
        await self._confirmed.wait()
        await self._audible.wait()
        self._happenings.check()

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Play prompts; see `MediaSession.play`."""
        played = 0.0
        for prompt in prompts:
            self._happenings.check()
            sound = await self._sounds.of(prompt)
            if barge_in and self._happenings.digit_waits:
                return played
            played = await self._play(sound.after(start_seconds), barge_in) + start_seconds
            start_seconds = 0.0
        return played

    async def _play(self, sound: Sound, barge_in: bool) -> float:
        if not len(sound.samples):
            return 0.0
        self._happenings.take_played()
        self._stream.play(sound)
        try:
            while not self._happenings.take_played():
                if barge_in and self._happenings.digit_waits:
                    return self._stream.played_seconds
                await self._happenings.wait()
        finally:
            self._stream.stop_playing()
        return sound.seconds

    async def record(
        self, path: Path, most_seconds: float, silence_seconds: float = 0.0, terminators: str = "#"
    ) -> Recorded:
        """Write what the caller says; see `MediaSession.record`."""
        self._happenings.check()
        loop = asyncio.get_running_loop()
        writing: set[asyncio.Future[None]] = set()

        def flush() -> None:
            task = loop.run_in_executor(None, recorder.flush)
            writing.add(task)
            task.add_done_callback(written)

        def written(task: "asyncio.Future[None]") -> None:
            writing.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                failures.append(error)
            self._happenings.wake()

        failures: list[BaseException] = []
        try:
            recorder = await asyncio.to_thread(Recorder, path, self._stream.rate, most_seconds, silence_seconds, flush)
        except OSError as error:
            raise RecordingFailed(f"{path.name}: {error.strerror}") from error
        self._stream.hearer = recorder.hear
        key = None
        try:
            while recorder.ended is None and not failures:
                key = self._happenings.take_digit(terminators) if terminators else None
                if key is not None:
                    break
                await self._happenings.wait()
        finally:
            self._stream.hearer = None
            # Also when the application is cancelled meanwhile: what was said is in the file.
            closing = loop.run_in_executor(None, recorder.close)
            with contextlib.suppress(OSError):
                await asyncio.shield(closing)
        if failures or closing.exception() is not None:
            raise RecordingFailed(f"{path.name}: cannot be written")
        return Recorded(recorder.seconds, recorder.ended or RecordingEnd.KEY, key or "")

    async def collect(self, most: int, timeout_seconds: float, terminators: str = "#") -> Collected:
        """Gather digits; see `MediaSession.collect`."""
        return await self._happenings.collect(most, timeout_seconds, terminators)

    async def echo(self) -> None:
        """Send the caller's own audio back until the call ends."""
        self._happenings.check()
        self._stream.echoing = True
        try:
            while True:
                await self._happenings.wait()
        finally:
            self._stream.echoing = False

    async def join(self, name: str, seat: Seat = Seat()) -> Room:  # noqa: B008 - it is frozen
        """Let the caller hear and be heard in a mix; see `MediaSession.join`."""
        self._happenings.check()
        if self._room and self._room != name:
            self._leave()
        room = self._rooms.join(name, self, seat)
        self._room = name
        return room

    async def leave(self) -> None:
        """Take the caller out of the mix."""
        self._leave()

    async def bridge(self, other: MediaSession) -> None:
        """Let two callers talk; see `MediaSession.bridge`."""
        await bridge(self, other, f"bridge-{self._tokens.token(8)}")
        self._happenings.check()

    async def over(self) -> EndCause:
        """Wait until the call is over."""
        return await self._happenings.over()

    async def transfer(self, to: str | Transfer, proven: str = "") -> int:
        """Have the caller call somebody else; see `MediaSession.transfer`."""
        self._happenings.check()
        result = 0

        def told(status: int, final: bool) -> None:
            nonlocal result
            if final:
                result = status
                self._happenings.wake()

        self._leg.transfer(to, told, proven)
        with contextlib.suppress(TimeoutError, SessionEnded):
            async with asyncio.timeout(TRANSFER_SECONDS):
                while not result:
                    await self._happenings.wait()
        if result < 300:
            # Whoever asked for a transfer ends the call that is left behind (RFC 5589 §6.1).
            self.end(EndCause.LOCAL)
        return result

    async def next_event(self) -> SessionEvent:
        """The next thing that happened."""
        return await self._happenings.next_event()

    async def hang_up(self) -> None:
        """End the call."""
        self.end(EndCause.LOCAL)

    # What the call's SIP side says.

    def confirmed(self, description: bytes | None) -> None:
        """The caller acknowledged; `description` is their answer to our offer; `CallRefused` if it will not do."""
        if description is not None and self._address is not None:
            self._agree(sdp.accept_answer(description, self._address, self._codecs, self._plan))
        elif self._leg.offer is None and not self._confirmed.is_set():
            raise NotAcceptable("our offer was acknowledged without an answer")
        self._begin()

    def offer_for_browsers(self) -> bytes:
        """Our offer for a call that is placed, in the only form that browsers take."""
        self._plan = self._keying.offer()
        return self._describe(None)

    def taken(self, description: bytes) -> bytes | None:
        """Whoever was called answers an offer of ours, or makes one where he got none: our answer to that, for the ACK.

        Raises:
            CallRefused: it will not do.
        """
        if self._address is not None and sdp.answers(description, self._plan):
            self.confirmed(description)
            return None
        self._address = None  # of ours the one that they reach us by, which is known only now
        self._by_our_order = True
        answer = self._describe(description)
        self._begin()
        return answer

    def reoffered(self, offer: bytes | None) -> bytes:
        """Another offer in the middle of the call: our answer; `CallRefused` when it will not do."""
        return self._describe(offer)

    def ended_by_peer(self, cause: EndCause) -> None:
        """The call is over; frees its port."""
        if self._happenings.end(cause):
            answered = self._confirmed.is_set()
            self._confirmed.set()
            self._audible.set()
            self._leave()
            if (goodbye := self._stream.goodbye(self._clock.monotonic())) is not None:
                self._send_report(goodbye)
            quality = self._stream.quality()
            log.info("media_call_quality", extra=asdict(quality))
            if answered:
                heard: Literal["caller", "callee"] = "callee" if self._leg.placed else "caller"
                self._measured(quality.told(self._leg.call_id, heard, self._stream.codec))
            self._closed(self)

    async def refuse(self, status: int, reason: str, warning: str = "") -> None:
        """End the call before it is answered; see `MediaSession.refuse`."""
        if self._happenings.cause is None:
            self.ended_by_peer(EndCause.LOCAL)
            self._leg.refuse(status, reason, ((b"Warning", warning_value(warning).encode()),) if warning else ())

    def end(self, cause: EndCause) -> None:
        """Hang up for a reason of our own; frees the port."""
        if self._happenings.cause is None:
            self.ended_by_peer(cause)
            self._leg.hang_up()

    # What the engine says.

    @property
    def rtp(self) -> socket.socket:
        """The call's socket."""
        return self._rtp

    @property
    def rtcp(self) -> socket.socket:
        """The call's socket for reports."""
        return self._rtcp

    def reports_readable(self) -> None:
        """Datagrams wait on the socket for reports."""
        now = self._clock.monotonic()
        for data, source in sockets.drain(self._rtcp):
            if self._keying.used and not self._passes(self._keying.reports, self._rtcp, data, source, now):
                continue
            if (dropped := self._stream.receive_report(data, source, now)) is not None:
                self.drops[dropped.reason.value] += 1

    def _send_report(self, report: SendReport) -> None:
        muxed = self._stream.muxed
        if not sockets.send(self._rtp if muxed else self._rtcp, report.data, report.to):
            self.drops["not_sent"] += 1

    def received(self, data: bytes, source: Address, now: float) -> None:
        """A datagram came on the call's socket, at `now`."""
        if self._keying.used and not self._passes(self._keying.audio, self._rtp, data, source, now):
            return
        match self._stream.receive(data, source, now):
            case None:
                pass
            case Dropped(reason):
                self.drops[reason.value] += 1
            case Digit(digit):
                self._happenings.happened(DigitPressed(digit))

    def _passes(self, path: SecurePath, here: socket.socket, data: bytes, source: Address, now: float) -> bool:
        """Whether a datagram is for the stream; what belongs to checks and handshakes is done."""
        match path.receive(data, source, now):
            case Media():
                return True
            case Unused(reason):
                self.drops[reason.value] += 1
            case Outgoing() as outgoing:
                self._send_all(here, outgoing)
                self._settle()
        return False

    def _send_all(self, here: socket.socket, outgoing: Outgoing) -> None:
        for data in outgoing.datagrams:
            if not sockets.send(here, data, outgoing.to):
                self.drops["not_sent"] += 1

    def tick(self, now: float) -> None:
        """20 ms have passed."""
        if now >= self._ends_at:
            self.end(EndCause.LONGEST)
            return
        if self._keying.used:
            self._tick_paths(now)
        if self._audible_by is not None and now >= self._audible_by and not self._audible.is_set():
            failure = self._keying.audio.failure or "none began"
            log.warning("media_not_secured", extra={"call_id": self._leg.call_id, "handshake": failure})
            self.end(EndCause.SILENT)
            return
        for action in self._stream.tick(now):
            match action:
                case Send(data, to):
                    if not sockets.send(self._rtp, data, to):
                        self.drops["not_sent"] += 1
                case SendReport():
                    self._send_report(action)
                case Digit(digit):
                    self._happenings.happened(DigitPressed(digit))
                case Played():
                    self._happenings.happened(PromptPlayed())
                case WentSilent():
                    self.end(EndCause.SILENT)

    def _tick_paths(self, now: float) -> None:
        for path, here in zip(self._keying.paths, (self._rtp, self._rtcp), strict=False):
            if (outgoing := path.tick(now)) is not None:
                self._send_all(here, outgoing)

    # What a mix says (Voice).

    @property
    def rate(self) -> int:
        """Samples in a second of what the caller says and hears."""
        return self._stream.rate

    def listen(self) -> Samples:
        """What the caller says in this tick."""
        return self._stream.listen()

    def hear(self, others: Samples) -> None:
        """What the others of the mix say in this tick."""
        self._stream.hear(others)

    def _leave(self) -> None:
        name, self._room = self._room, ""
        self._rooms.leave(name, self)

    def _begin(self) -> None:
        """Both sides know what the other one said."""
        if not self._confirmed.is_set():
            self._keying.start()
            self._audible_by = self._clock.monotonic() + KEYS_SECONDS
        self._confirmed.set()

    def _describe(self, offer: bytes | None) -> bytes:
        """Our description for the peer's, or an offer of ours; a change counts only when it can be answered."""
        address = self._address or sockets.address_towards(self._rtp, sdp.audio_address(offer) if offer else None)
        plan, description = self._draft(offer, address, self._sdp_version)
        if description != self._description:  # o= counts changes, and only those (RFC 3264 §8)
            self._sdp_version += 1
            plan, description = self._draft(offer, address, self._sdp_version)
        self._address, self._description = address, description
        if plan is not None:
            self._agree(plan)
        return description

    def _agree(self, plan: sdp.AudioPlan) -> None:
        """Go by a plan: at once, or when the keys that it needs are there."""
        self._plan = plan
        self._keying.agree(plan)
        if self._keying.used:
            self._settle()
        else:
            self._hear_by(plan)

    def _settle(self) -> None:
        plan = self._keying.settled()
        if plan is not None and plan != self._agreed:
            self._hear_by(plan)

    def _hear_by(self, plan: sdp.AudioPlan) -> None:
        self._agreed = plan
        self._stream.agree(plan, self._clock.monotonic())
        self._audible.set()

    def _draft(self, offer: bytes | None, address: str, version: int) -> tuple[sdp.AudioPlan | None, bytes]:
        if offer is None:
            return None, sdp.offer(address, self._port, self._sdp_id, version, self._codecs, self._plan)
        ours = self._srtp_key, self._keying.answer
        by_our_order = self._by_our_order
        return sdp.answer(
            offer, address, self._port, self._sdp_id, version, self._codecs, *ours, by_our_order=by_our_order
        )
