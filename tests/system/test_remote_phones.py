"""Real phones behind real NATs, at a site with its cloud and while it is away: see `tests.support.remote_office`."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.peer("baresip", "nft", "ip"), pytest.mark.timeout(600)]

WAYS = [
    ("udp", "symmetric", "reached"),
    ("udp", "symmetric", "cut"),
    ("tcp", "symmetric", "cut"),
    ("tls", "cone", "reached"),
    ("tls", "cone", "cut"),
]


def play(scene: str, transport: str, kind: str, folder: Path, cloud: str = "cut") -> None:
    """Have a scene happen, in namespaces of its own."""
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.support.remote_office"]
    done = subprocess.run(
        [*command, str(folder), transport, kind, scene, cloud], capture_output=True, text=True, timeout=590, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.endswith("all of it happened\n")


@pytest.mark.parametrize(("transport", "kind", "cloud"), WAYS)
def test_a_phone_at_home_calls_is_called_holds_is_transferred_and_outlives_a_rebinding_and_a_dead_media_process(
    tmp_path: Path, transport: str, kind: str, cloud: str
) -> None:
    play("with_the_office", transport, kind, tmp_path, cloud)


@pytest.mark.parametrize(("transport", "kind"), [("udp", "symmetric"), ("tls", "symmetric")])
def test_phones_of_two_homes_hear_each_other_and_those_of_one_home_without_the_edge(
    tmp_path: Path, transport: str, kind: str
) -> None:
    play("at_two_homes", transport, kind, tmp_path)


def test_a_phone_is_called_long_after_its_nat_would_have_forgotten_it(tmp_path: Path) -> None:
    play("left_alone", "udp", "symmetric", tmp_path)


@pytest.mark.parametrize("cloud", ["reached", "cut"])
def test_what_is_said_from_home_is_the_message_in_the_mailbox(tmp_path: Path, cloud: str) -> None:
    play("leaving_a_message", "udp", "symmetric", tmp_path, cloud)


@pytest.mark.peer("rtpengine")
@pytest.mark.parametrize(("transport", "kind"), [("udp", "symmetric"), ("tls", "symmetric")])
def test_calls_by_rtpengine_outlive_its_death_that_of_the_media_process_and_a_rebinding(
    tmp_path: Path, transport: str, kind: str
) -> None:
    play("through_rtpengine", transport, kind, tmp_path)
