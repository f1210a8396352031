"""A call on the embedded engine: `MediaSession` over an `AudioStream`, its socket and its SIP leg."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from edge_agent.media import sdp
from edge_agent.media.bridging import bridge
from edge_agent.media.embedded import sockets, wav
from edge_agent.media.embedded.g711 import Samples
from edge_agent.media.embedded.recorder import Recorder
from edge_agent.media.embedded.rooms import Room, Rooms
from edge_agent.media.embedded.stream import AudioStream, Digit, Dropped, Played, Send, WentSilent
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
)
from edge_agent.ports import CallLeg
from edge_agent.tokens import Tokens

TRANSFER_SECONDS: Final = 30.0
"""How long a phone has to end a call that it was asked to go on with elsewhere."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a call may be quiet, in seconds: `silence` one whose peer should send, `held` one on hold."""

    silence_seconds: float = 60.0
    held_seconds: float = 3600.0


class EmbeddedSession:
    """One call. Made by the engine; raises `CallRefused` at once when the offer cannot be answered."""

    def __init__(
        self,
        leg: CallLeg,
        rtp: socket.socket,
        prompts: Mapping[Path, Samples],
        rooms: Rooms,
        limits: SessionLimits,
        clock: Clock,
        tokens: Tokens,
        closed: Callable[["EmbeddedSession"], None],
    ) -> None:
        self._leg, self._rtp, self._prompts, self._clock, self._closed = leg, rtp, prompts, clock, closed
        self._stream = AudioStream(tokens, clock.monotonic(), limits.silence_seconds, limits.held_seconds)
        self._rooms, self._room, self._tokens = rooms, "", tokens
        self._sdp_id, self._sdp_version = int(tokens.token(4), 16), 0
        self._srtp_key = bytes.fromhex(tokens.token(KEY_BYTES))
        self._port = int(rtp.getsockname()[1])
        self._address: str | None = None
        self._happenings = Happenings()
        self._confirmed = asyncio.Event()
        self.drops: Counter[str] = Counter()
        self._description = b""
        self._describe(leg.offer)

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
        return self._leg.arguments

    @property
    def stream(self) -> AudioStream:
        """The audio, for its figures."""
        return self._stream

    # What an application asks for (MediaSession).

    async def answer(self) -> None:
        """Take the call; returns when the caller has confirmed it."""
        self._happenings.check()
        self._leg.answer(self._description)
        await self._confirmed.wait()
        self._happenings.check()

    async def play(self, *prompts: Prompt, barge_in: bool = False, start_seconds: float = 0.0) -> float:
        """Play prompts; see `MediaSession.play`."""
        played = 0.0
        for prompt in prompts:
            self._happenings.check()
            samples = self._prompts.get(prompt.path)
            if samples is None:
                samples = await asyncio.to_thread(wav.load, prompt.path)
            if barge_in and self._happenings.digit_waits:
                return played
            played = await self._play(samples[int(start_seconds * wav.RATE) :], barge_in) + start_seconds
            start_seconds = 0.0
        return played

    async def _play(self, samples: Samples, barge_in: bool) -> float:
        if not len(samples):
            return 0.0
        self._happenings.take_played()
        self._stream.play(samples)
        try:
            while not self._happenings.take_played():
                if barge_in and self._happenings.digit_waits:
                    return self._stream.played / wav.RATE
                await self._happenings.wait()
        finally:
            self._stream.stop_playing()
        return len(samples) / wav.RATE

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
            recorder = await asyncio.to_thread(Recorder, path, most_seconds, silence_seconds, flush)
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

    async def transfer(self, number: str) -> None:
        """Have the caller call somebody else; see `MediaSession.transfer`."""
        self._happenings.check()
        self._leg.transfer(number)
        with contextlib.suppress(TimeoutError, SessionEnded):
            async with asyncio.timeout(TRANSFER_SECONDS):
                while True:
                    await self._happenings.wait()

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
            self._stream.agree(sdp.accept_answer(description, self._address), self._clock.monotonic())
        elif self._leg.offer is None and not self._confirmed.is_set():
            raise NotAcceptable("our offer was acknowledged without an answer")
        self._confirmed.set()

    def reoffered(self, offer: bytes | None) -> bytes:
        """Another offer in the middle of the call: our answer; `CallRefused` when it will not do."""
        return self._describe(offer)

    def ended_by_peer(self, cause: EndCause) -> None:
        """The call is over; frees its port."""
        if self._happenings.end(cause):
            self._confirmed.set()
            self._leave()
            self._closed(self)

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

    def readable(self) -> None:
        """Datagrams wait on the socket."""
        now = self._clock.monotonic()
        for data, source in sockets.drain(self._rtp):
            match self._stream.receive(data, source, now):
                case Dropped(reason):
                    self.drops[reason.value] += 1
                case Digit(digit):
                    self._happenings.happened(DigitPressed(digit))
                case None:
                    pass

    def tick(self, now: float) -> None:
        """20 ms have passed."""
        for action in self._stream.tick(now):
            match action:
                case Send(data, to):
                    if not sockets.send(self._rtp, data, to):
                        self.drops["not_sent"] += 1
                case Digit(digit):
                    self._happenings.happened(DigitPressed(digit))
                case Played():
                    self._happenings.happened(PromptPlayed())
                case WentSilent():
                    self.end(EndCause.SILENT)

    # What a mix says (Voice).

    def listen(self) -> Samples:
        """What the caller says in this tick."""
        return self._stream.listen()

    def hear(self, others: Samples) -> None:
        """What the others of the mix say in this tick."""
        self._stream.hear(others)

    def _leave(self) -> None:
        name, self._room = self._room, ""
        self._rooms.leave(name, self)

    def _describe(self, offer: bytes | None) -> bytes:
        """Our description for the peer's, or an offer of ours; a change counts only when it can be answered."""
        address = self._address or sockets.address_towards(self._rtp, sdp.audio_address(offer) if offer else None)
        plan, description = self._draft(offer, address, self._sdp_version)
        if description != self._description:  # o= counts changes, and only those (RFC 3264 §8)
            self._sdp_version += 1
            plan, description = self._draft(offer, address, self._sdp_version)
        self._address, self._description = address, description
        if plan is not None:
            self._stream.agree(plan, self._clock.monotonic())
        return description

    def _draft(self, offer: bytes | None, address: str, version: int) -> tuple[sdp.AudioPlan | None, bytes]:
        if offer is None:
            return None, sdp.offer(address, self._port, self._sdp_id, version)
        return sdp.answer(offer, address, self._port, self._sdp_id, version, self._srtp_key)
