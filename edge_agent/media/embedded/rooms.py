"""The mixes of an engine, by name; one is there as long as somebody is in it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_agent.media.embedded.mix import Mix, Voice
from edge_agent.media.embedded.multicast import MulticastVoice
from edge_agent.media.embedded.recorder import Recorder
from edge_agent.media.embedded.sounds import Sounds
from edge_agent.media.errors import MixFull, NobodyLeft, RecordingFailed
from edge_agent.media.session import MulticastTo, Prompt, Seat

Streams = Callable[[MulticastTo], MulticastVoice]
"""Opens a stream to a multicast address; raises `MulticastFailed`."""


class Room:
    """A mix as its applications see it (`edge_agent.media.session.Mix`)."""

    def __init__(self, mix: Mix, sounds: Sounds, streams: Streams, deserted: Callable[[], None]) -> None:
        """`deserted` is called when a stream that ended was the last in it."""
        self.mix, self._sounds, self._open_stream, self._deserted = mix, sounds, streams, deserted
        self._streams = 0
        self._recorder: Recorder | None = None
        self._recorded = Path()
        self._failed = False

    @property
    def members(self) -> int:
        """How many callers are in it."""
        return len(self.mix.voices) - self._streams

    @property
    def speaking(self) -> tuple[object, ...]:
        """The sessions whose callers speak, the loudest first."""
        return self.mix.speaking

    async def play(self, prompt: Prompt) -> None:
        """Let everybody hear a prompt, to its end; see `edge_agent.media.session.Mix`."""
        sound = await self._sounds.of(prompt)
        if not self.mix.voices:
            raise NobodyLeft("nobody is in the mix")
        over = asyncio.Event()
        self.mix.play(sound, over.set)
        try:
            await over.wait()
        finally:
            self.mix.stop(over.set)

    async def record(self, path: Path, most_seconds: float) -> None:
        """Begin to write what everybody says; see `edge_agent.media.session.Mix`."""
        if self._recorder is not None:
            raise RecordingFailed("it is recorded already")
        loop = asyncio.get_running_loop()

        def flush() -> None:
            loop.run_in_executor(None, recorder.flush).add_done_callback(self._flushed)

        try:
            self._recorder = recorder = await asyncio.to_thread(Recorder, path, self.mix.rate, most_seconds, 0.0, flush)
        except OSError as error:
            raise RecordingFailed(f"{path.name}: {error.strerror}") from error
        self._recorded, self._failed = path, False
        self.mix.tap(recorder.hear)

    async def stop_recording(self, path: Path) -> None:
        """End the recording; see `edge_agent.media.session.Mix`."""
        recorder = self._recorder
        if recorder is None or path != self._recorded:
            return
        self._recorder = None
        self.mix.untap(recorder.hear)
        try:
            await asyncio.shield(asyncio.to_thread(recorder.close))
        except OSError as error:
            raise RecordingFailed(f"it cannot be written: {error.strerror}") from error
        if self._failed:
            raise RecordingFailed("it cannot be written")

    @contextlib.contextmanager
    def multicast(self, to: MulticastTo) -> Iterator[None]:
        """Send what everybody says to an address as well; see `edge_agent.media.session.Mix`."""
        if self.mix.full:
            raise MixFull(f"{self.members} callers are in the mix")
        stream = self._open_stream(to)
        self.mix.put(stream, Seat(muted=True))
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
            self.mix.remove(stream)
            stream.close()
            if not self.mix.voices:
                self._deserted()

    def _flushed(self, task: "asyncio.Future[None]") -> None:
        self._failed = self._failed or (not task.cancelled() and task.exception() is not None)


class Rooms:
    """Makes a mix when its first caller joins and forgets it after its last."""

    def __init__(self, sounds: Sounds, streams: Streams) -> None:
        self._sounds, self._open_stream = sounds, streams
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def join(self, name: str, voice: Voice, seat: Seat) -> Room:
        """Put a voice into the mix of this name, or into another seat there; raises `MixFull`."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(Mix(), self._sounds, self._open_stream, lambda: self._forget(name))
        elif room.mix.full and voice not in room.mix.voices:
            raise MixFull(f"{room.members} callers are in the mix")
        room.mix.put(voice, seat)
        return room

    def leave(self, name: str, voice: Voice) -> None:
        """Take a voice out of a mix; whoever waits for a sound in a mix that is gone waits no more."""
        if (room := self._rooms.get(name)) is None:
            return
        room.mix.remove(voice)
        if not room.mix.voices:
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._rooms.pop(name).mix.end_sounds()

    def tick(self) -> None:
        """20 ms have passed in every mix."""
        for room in tuple(self._rooms.values()):
            room.mix.tick()
