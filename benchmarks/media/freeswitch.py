"""FreeSWITCH with the cases of the benchmark: `python -m benchmarks.media.freeswitch FOLDER CASE …`.

The agent's own code configures it, starts it and has it serve. It says where it takes calls and which process it is,
and ends when its standard input does.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

from benchmarks.media.engine import noise_prompt, serve, stdin_ends
from edge_agent.clock import SystemClock
from edge_agent.media.codecs import CodecName
from edge_agent.media.freeswitch.process import STOP_SECONDS, pid_of
from edge_agent.media.session import MediaSession, Prompt
from edge_agent.processes.freeswitch import FreeSwitchMedia
from edge_agent.processes.media import prefer_this_process
from edge_agent.settings import MediaSettings
from edge_agent.tokens import SystemTokens
from tests.support.waiting import eventually_async

MOST_LEGS: Final = 100
FIRST_PORT: Final = 16_000
"""Of its RTP: below those that the system gives to others, since it looks for no other port when one is taken."""
_START_SECONDS: Final = 40.0


def dialled(case: str) -> str:
    """What a caller dials for a case."""
    return case.replace(" ", "-")


class _Case:
    """The application of a case: each caller is one of its legs."""

    def __init__(self, case: str, prompt: Prompt, folder: Path) -> None:
        self.prompts = (prompt,)
        self._case, self._folder, self._numbers = case, folder, itertools.count()

    async def run(self, session: MediaSession) -> None:
        number = next(self._numbers)
        await session.answer()
        await serve(self._case, number, session, self.prompts[0], self._folder)


async def main(folder: Path, cases: list[str]) -> None:
    """Serve until standard input ends."""
    prompt, place = noise_prompt(folder), folder / "freeswitch"
    settings = MediaSettings(
        engine="freeswitch",
        address="127.0.0.1",
        rtp_first_port=FIRST_PORT,
        rtp_last_port=FIRST_PORT + 3999,
        most_calls=MOST_LEGS,
        codecs=(CodecName.PCMU,),
    )
    applications = {dialled(case): _Case(case, prompt, folder) for case in cases}
    media = await FreeSwitchMedia.open(settings, place, applications, SystemClock(), SystemTokens())
    try:
        await eventually_async(lambda: media.figures()["freeswitch_up"], _START_SECONDS, "FreeSWITCH is up")
        print(json.dumps({"sip": media.sip_port, "pid": pid_of(place)}), flush=True)
        await stdin_ends()
    finally:
        await media.close()
        try:
            await eventually_async(lambda: pid_of(place) is None, STOP_SECONDS, "FreeSWITCH has ended")
        except AssertionError:
            if (pid := pid_of(place)) is not None:
                os.kill(pid, signal.SIGKILL)
            raise


if __name__ == "__main__":
    prefer_this_process()  # as the media process does, which it inherits
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
