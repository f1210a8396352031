"""The measured process: `python -m benchmarks.media.engine CASE FOLDER PORT …`, one leg for each port of the load.

It says where each leg listens, works until its standard input ends, and says how late its ticks came.
"""

import asyncio
import json
import sys
import wave
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.media.beside import TICKS_ONLY
from edge_agent.clock import SystemClock
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.embedded.ticker import Ticker
from edge_agent.media.errors import SessionEnded
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.processes.media import prefer_this_process
from edge_agent.tokens import SystemTokens
from tests.support.call_leg import RecordingLeg

_OFFER: Final = (
    "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {} RTP/AVP {} 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
)
_CODECS: Final = {"": (0,), "G.722": (9,), "G.722 and PCMU": (9, 0), "Opus": (111,)}
"""What stands behind a case's comma, and the payload types of its legs, in turn."""
_PROMPT_SECONDS: Final = 60


def payload_types(case: str) -> tuple[int, ...]:
    """Of the legs of a case, in turn."""
    return _CODECS[case.partition(", ")[2]]


def noise_prompt(folder: Path) -> Prompt:
    """A minute of noise that swells, which costs what speech costs."""
    path = folder / "prompt.wav"
    samples = (
        4000
        * np.sin(np.arange(8000 * _PROMPT_SECONDS) / 2000.0) ** 2
        * np.random.default_rng(1).normal(size=8000 * _PROMPT_SECONDS)
    )
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.clip(samples, -32767, 32767).astype("<i2").tobytes())
    return Prompt(path)


async def serve(case: str, number: int, session: MediaSession, prompt: Prompt, folder: Path) -> None:
    """One leg, until its call is over."""
    kind, _, size = case.partition(", ")[0].partition(" of ")
    try:
        match kind:
            case "playback":
                while True:
                    await session.play(prompt)
            case "recording":
                await session.record(folder / f"{number}.wav", 3600.0)
            case "conference":
                await session.join(f"room-{number // int(size)}")
                await session.over()
            case "echo":
                await session.echo()
            case _:
                await session.over()
    except SessionEnded:
        return


async def stdin_ends() -> None:
    """Whoever started this wants it to end."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def main(case: str, folder: Path, ports: list[int]) -> None:
    """Serve until standard input ends."""
    if case == TICKS_ONLY:
        ticker = Ticker(SystemClock(), lambda _: None)
        ticker.start()
        print(json.dumps([]), flush=True)
        await stdin_ends()
        ticker.stop()
        late = ticker.lateness
    else:
        prompt = noise_prompt(folder)
        settings = EngineSettings("127.0.0.1", 20_000, 39_999, most_sessions=len(ports))
        engine = EmbeddedEngine(settings, [prompt], SystemClock(), SystemTokens())
        offers = [_OFFER.format(port, kind) for port, kind in zip(ports, cycle(payload_types(case)), strict=False)]
        sessions = [engine.session(RecordingLeg(offer.encode())) for offer in offers]
        legs = [
            asyncio.create_task(serve(case, number, session, prompt, folder)) for number, session in enumerate(sessions)
        ]
        print(json.dumps([session.rtp.getsockname()[1] for session in sessions]), flush=True)
        await stdin_ends()
        late = engine.lateness
        received = min(session.stream.packets_received for session in sessions)
        for session in sessions:
            await session.hang_up()
        await asyncio.gather(*legs)
        print(json.dumps({"least_received": received}), flush=True)
    print(json.dumps({"p99": late.quantile_seconds(0.99), "longest": late.longest_seconds}), flush=True)


if __name__ == "__main__":
    prefer_this_process()  # as the media process does
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), [int(port) for port in sys.argv[3:]]))
