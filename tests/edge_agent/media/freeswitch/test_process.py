"""The agent's own FreeSWITCH is started, watched, taken over by the next agent, and ended; the real one where it is."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pydantic import SecretStr

from edge_agent.clock import SystemClock
from edge_agent.media.freeswitch.configuration import FreeSwitchPorts, configuration
from edge_agent.media.freeswitch.control import RELOADED, ControlLost, FreeSwitchControl
from edge_agent.media.freeswitch.process import (
    FreeSwitchFailed,
    FreeSwitchProcess,
    FreeSwitchSettings,
    Kept,
    choose,
    found_program,
    kept_in,
)
from edge_agent.processes.freeswitch import free_port
from edge_agent.tokens import SystemTokens
from tests.support.stand_in import stand_in
from tests.support.waiting import eventually_async

LOG = "edge_agent.media.freeswitch.process"


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.peer("freeswitch"))])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> FreeSwitchSettings:
    found = shutil.which("freeswitch") if request.param == "real" else None
    program = Path(found) if found else stand_in(tmp_path / "bin")
    return FreeSwitchSettings(program, tmp_path / "fs", "127.0.0.1", (30_000, 30_999), 10, ("PCMU", "PCMA"))


def process_of(settings: FreeSwitchSettings) -> tuple[FreeSwitchProcess, Kept]:
    kept = choose(settings.folder, SystemTokens(), 0, 8084, free_port)
    return FreeSwitchProcess(settings, kept, SystemClock(), frozenset), kept


def pid_in(settings: FreeSwitchSettings) -> int:
    return int((settings.folder / "run" / "freeswitch.pid").read_text().strip() or "0")


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@asynccontextmanager
async def running(settings: FreeSwitchSettings) -> AsyncIterator[FreeSwitchProcess]:
    process, _ = process_of(settings)
    process.begin()
    try:
        await eventually_async(lambda: process.control, 40, "FreeSWITCH is up")
        yield process
    finally:
        await process.stop()
        pid = pid_in(settings)
        await eventually_async(lambda: not is_alive(pid), 20, "FreeSWITCH has ended")


async def abandon(process: FreeSwitchProcess) -> None:
    """As if the agent were killed: nobody says anything to FreeSWITCH."""
    for task in (process.running, process.bringing_back):
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def test_it_is_started_with_a_file_that_only_we_read_and_ends_when_it_is_told_to(
    settings: FreeSwitchSettings,
) -> None:
    async with running(settings):
        file, pid = settings.folder / "conf" / "freeswitch.xml", pid_in(settings)
        assert file.stat().st_mode & 0o777 == 0o600
        assert (settings.folder / "control.json").stat().st_mode & 0o777 == 0o600
        kept = kept_in(settings.folder)
        assert kept is not None
        assert kept.password.get_secret_value().encode() not in command_of(pid)
        assert kept.password.get_secret_value() in file.read_text()
        with pytest.raises(ControlLost, match="another password"):
            await FreeSwitchControl.open("127.0.0.1", kept.control, SecretStr("guessed"))


async def test_one_that_is_killed_is_started_again(settings: FreeSwitchSettings) -> None:
    async with running(settings) as process:
        first = pid_in(settings)
        os.kill(first, signal.SIGKILL)
        await eventually_async(lambda: process.control and pid_in(settings) != first, 40, "another one is up")
        assert process.starts == 2


async def test_one_that_does_not_answer_any_more_is_ended_and_started_again(settings: FreeSwitchSettings) -> None:
    async with running(replace(settings, hung_seconds=1.0)) as process:
        first = pid_in(settings)
        os.kill(first, signal.SIGSTOP)
        await eventually_async(lambda: process.control and pid_in(settings) != first, 60, "another one is up")


async def test_the_next_agent_takes_over_the_one_that_goes_on(settings: FreeSwitchSettings) -> None:
    process, kept = process_of(settings)
    process.begin()
    await eventually_async(lambda: process.control, 40, "FreeSWITCH is up")
    first = pid_in(settings)
    await abandon(process)
    assert is_alive(first)
    async with running(settings) as again:
        assert (again.starts, pid_in(settings)) == (0, first)
        assert kept_in(settings.folder) == kept


async def test_it_is_told_to_read_its_file_anew_where_that_has_changed(
    settings: FreeSwitchSettings, caplog: pytest.LogCaptureFixture
) -> None:
    process, _ = process_of(settings)
    process.begin()
    await eventually_async(lambda: process.control, 40, "FreeSWITCH is up")
    await abandon(process)
    file = settings.folder / "conf" / "freeswitch.xml"
    before = file.read_text()
    file.write_text(before.replace("8084", "8085"))
    with caplog.at_level("INFO", LOG):
        async with running(settings) as again:
            assert file.read_text() == before
            assert again.control is not None
            file.write_text(before.rpartition("</document>")[0])
            assert RELOADED not in await again.control.ask(b"api reloadxml\n\n")
            file.write_text(before)
            assert (await again.control.ask(b"api reloadxml\n\n")).strip() == RELOADED
    assert "freeswitch_configuration_refused" not in caplog.text


async def test_a_program_that_ends_at_once_is_told_of_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = stand_in(tmp_path / "bin", "broken")
    process, _ = process_of(FreeSwitchSettings(program, tmp_path / "fs", "127.0.0.1", (30_000, 30_999), 10, ("PCMU",)))
    process.begin()
    await eventually_async(lambda: process.starts > 1, 20, "it is tried again")
    await process.stop()
    problem = next(record.__dict__["problem"] for record in caplog.records if record.message == "freeswitch_down")
    assert "ended with status 255" in problem
    assert str(tmp_path / "fs" / "log" / "freeswitch.log") in problem


async def test_a_pid_file_that_names_somebody_elses_process_ends_nobody(settings: FreeSwitchSettings) -> None:
    bystander = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    (settings.folder / "run").mkdir(parents=True)
    (settings.folder / "run" / "freeswitch.pid").write_text(f"{bystander.pid}")
    process, _ = process_of(settings)
    await process.stop()
    assert is_alive(bystander.pid)
    bystander.kill()
    await bystander.wait()


def test_where_it_is_not_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("edge_agent.media.freeswitch.process.PLACES", ())
    with pytest.raises(FreeSwitchFailed, match="install it, or say where it is"):
        found_program("")
    with pytest.raises(FreeSwitchFailed, match="no program that may be run"):
        found_program(str(tmp_path / "missing"))
    here = stand_in(tmp_path)
    assert found_program("") == here


PORTS = FreeSwitchPorts(5090, 8021, 8084, (30_000, 30_999), "192.0.2.9")
Read = Callable[[str, str], str]


@pytest.fixture
def read() -> Read:
    """A parameter of a part of the configuration."""
    whole = ElementTree.fromstring(configuration(PORTS, SecretStr('a"<&b'), 10, ("OPUS", "PCMU")))

    def value(part: str, name: str) -> str:
        found = whole.find(f".//configuration[@name='{part}']//param[@name='{name}']")
        assert found is not None
        return found.attrib["value"]

    return value


def test_it_listens_on_loopback_alone_and_any_password_is_itself(read: Read) -> None:
    assert (read("event_socket.conf", "listen-ip"), read("event_socket.conf", "listen-port")) == ("127.0.0.1", "8021")
    assert read("event_socket.conf", "password") == 'a"<&b'
    assert (read("sofia.conf", "sip-ip"), read("sofia.conf", "sip-port")) == ("127.0.0.1", "5090")
    assert read("sofia.conf", "rtp-ip") == "192.0.2.9"
    assert read("sofia.conf", "inbound-codec-prefs") == "OPUS,PCMU"
    assert (read("switch.conf", "rtp-start-port"), read("switch.conf", "rtp-end-port")) == ("30000", "30999")


def test_a_call_that_is_up_waits_long_for_the_next_agent_and_one_that_is_not_does_not() -> None:
    whole = ElementTree.fromstring(configuration(PORTS, SecretStr("password"), 10, ("PCMU",)))
    actions = [(one.attrib["application"], one.attrib["data"]) for one in whole.findall(".//action")]
    to_agent = ("socket", f"127.0.0.1:{PORTS.events} async full")
    assert actions[1:] == [
        to_agent,
        ("sleep", "4000"),
        to_agent,
        ("sleep", "${cond(${endpoint_disposition} == ANSWER ? 30000 : 1)}"),
        to_agent,
        ("respond", "503"),
    ]
