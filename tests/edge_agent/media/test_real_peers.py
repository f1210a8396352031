"""Real programs call the media process: sipp by the dozen, and a baresip that listens."""

import asyncio
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_agent.media.embedded.engine import EngineSettings
from edge_agent.processes.media import MediaProcessSettings, build_media_process

CALLS = 40


async def run(*command: str) -> tuple[int, str]:
    """Exit status and output of a program, which is ended after 60 seconds."""
    program = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            output, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    return program.returncode or 0, output.decode("utf-8", "replace")


def recorded_in(folder: Path) -> tuple[int, npt.NDArray[np.float64]]:
    """Sample rate and samples of what baresip decoded."""
    (recorded,) = folder.glob("dump-*-dec.wav")
    with wave.open(str(recorded), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return file.getframerate(), samples[:: file.getnchannels()].astype(np.float64)


@pytest.mark.peer("sipp")
async def test_sipp_completes_every_call() -> None:
    process = await build_media_process(MediaProcessSettings(engine=EngineSettings("127.0.0.1", 20_000, 39_999)))
    target = f"127.0.0.1:{process.sip_port}"
    options = f"-s echo -i 127.0.0.1 -m {CALLS} -r 20 -d 1000 -nostdin -timeout 40s".split()
    status, output = await run("sipp", "-sn", "uac", target, *options)
    assert status == 0, output[-3000:]
    assert (process.server.calls, process.engine.sessions) == (0, 0)
    assert not process.user_agent.drops
    late = process.engine.lateness
    print(f"{CALLS} calls at 20 a second: tick late p99 {late.quantile_seconds(0.99) * 1000:.1f} ms")
    await process.close()


@pytest.mark.peer("baresip")
@pytest.mark.peer("ip")
@pytest.mark.parametrize(
    ("encryption", "traversal", "codec", "rate", "hertz"),
    [
        ("", "", "PCMA/8000", 8000, 700),
        ("srtp-mand", "", "PCMA/8000", 8000, 700),
        ("dtls_srtp", "", "PCMA/8000", 8000, 700),
        ("dtls_srtp", "ice", "PCMA/8000", 8000, 700),
        ("", "", "G722/16000", 16_000, 5500),
        ("", "", "opus/48000/2", 48_000, 5500),
    ],
)
async def test_baresip_hears_the_announcement_and_then_its_own_tone(
    tmp_path: Path, encryption: str, traversal: str, codec: str, rate: int, hertz: int
) -> None:
    samples = (9000 * np.sin(2 * np.pi * hertz * np.arange(rate * 20) / rate)).astype("<i2")
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        channels = 2 if codec.endswith("/2") else 1
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(samples, channels).tobytes())
    driver = ("unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.support.baresip_echo")
    status, output = await run(*driver, str(tmp_path), "20000", encryption, codec, traversal)
    assert status == 0, output[-3000:]
    heard_rate, heard = recorded_in(tmp_path)
    assert heard_rate == rate
    assert float(np.sqrt(np.mean(heard[: 5 * rate] ** 2))) > 500
    end = heard[-2 * rate :]
    loudest = float(np.argmax(np.abs(np.fft.rfft(end * np.hanning(len(end)))))) * rate / len(end)
    assert loudest == pytest.approx(hertz, abs=5)
