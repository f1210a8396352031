"""What servers run on is named, their processes are placed, and each is given its turn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cpu import started_on, two_cores
from benchmarks.sip.interpreter import Interpreter, built_by_profile
from benchmarks.sip.load_run import LoadFailed, Spent
from benchmarks.sip.rounds import Lane, interleaved
from benchmarks.sip.server import SipServer, accounts, snapshot, snapshot_secrets


@pytest.mark.parametrize(
    ("config", "prefix", "flag", "said"),
    [
        ("'--enable-optimizations'", "/opt/python", "-fprofile-use", "--enable-optimizations"),
        ("'--prefix=/usr'", "/usr", "", "by Debian's rules"),
        ("'--prefix=/opt/python'", "/opt/python", "-fprofile-use", "without PGO"),
    ],
)
def test_whether_a_python_was_built_by_a_profile_is_said_with_how_that_is_known(
    config: str, prefix: str, flag: str, said: str
) -> None:
    assert said in built_by_profile(config, prefix, flag)


def test_an_interpreter_knows_its_version_and_which_compiled_modules_it_loads() -> None:
    here = Interpreter.of(Path(sys.executable))
    assert here.version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert here.tag == sys.implementation.cache_tag


def test_processes_started_on_a_core_stay_there_and_we_do_not() -> None:
    before, core = os.sched_getaffinity(0), two_cores()[1]
    with started_on(core):
        asked = [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str({core})
    assert os.sched_getaffinity(0) == before


def server(name: str) -> SipServer:
    return SipServer(name, {"udp": 5060}, {"SIP process": lambda: [os.getpid()], "all": lambda: [os.getpid()]})


def test_each_server_has_its_turn_and_each_first_every_so_often() -> None:
    order: list[str] = []

    def load(one: SipServer) -> Spent:
        order.append(one.name)
        return Spent({"SIP process": 30.0 if one.name == "ours" else 10.0, "all": 40.0}, 100.0, 1.0, 1)

    figures = interleaved("cost", load, [Lane(server("ours"), aim=1.5)], server("peer"), 2, "counted")
    assert order == ["ours", "peer", *("ours", "peer"), *("peer", "ours")]
    assert [(one.name, one.ratios, one.aim) for one in figures] == [
        ("cost: ours, SIP process", (3.0, 3.0), 1.5),
        ("cost: ours, all", (), None),
    ]
    assert "ours 100/s, 2 messages more than once" in figures[0].method


def test_a_run_in_which_something_failed_is_repeated_and_that_is_said() -> None:
    failing = iter([True, False, False])

    def load(_: SipServer) -> Spent:
        if next(failing):
            raise LoadFailed("1 of 10 failed")
        return Spent({"SIP process": 30.0, "all": 40.0}, 100.0, 1.0, 0)

    (figure, _) = interleaved("cost", load, [Lane(server("ours"))], None, 1, "counted")
    assert "1 runs repeated because something failed" in figure.method
    with pytest.raises(LoadFailed):
        interleaved("cost", always_failing, [Lane(server("ours"))], None, 1, "counted")


def always_failing(_: SipServer) -> Spent:
    raise LoadFailed("always")


def test_every_server_knows_the_same_phones() -> None:
    site, secrets = snapshot(), snapshot_secrets()
    lines = {line.auth_username: secrets[line.password] for line in site.lines}
    assert lines == {one.auth_username: one.password for one in accounts()}
