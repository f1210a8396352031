"""`make demo`: two real phones get their configuration from the edge, register, and call each other.

Uses the system that `make run` brought up, or brings one up for itself and takes it down again. Exit status 0 when
every step held, 1 when one did not, 2 when a program that is needed is not on this machine.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cloud.local.api_client import ApiClient
from cloud.local.baresip import Baresip, PhoneError, SipTrace
from cloud.local.phone_files import fetch_by_http, fetch_by_tftp, generic_account, yealink_account
from cloud.local.running import RunningSystem, read_running
from cloud.local.settings import DEFAULT_STATE_DIR
from cloud.local.sockets import family_of, udp_ports

TALK_SECONDS: Final = 3.0
LEAST_PACKETS: Final = 100
NEEDED: Final = {"baresip": "baresip", "tftp": "tftp-hpa"}


class DemoFailed(Exception):
    """A step did not hold."""


def main() -> int:
    """Run the demo; the exit status tells."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="state folder of `make run`")
    arguments = parser.parse_args()
    if absent := [f"{program} (Debian package {NEEDED[program]})" for program in NEEDED if not shutil.which(program)]:
        print(f"NOT RUN: {', '.join(absent)}")
        return 2
    try:
        with running_system(arguments.state_dir) as system, tempfile.TemporaryDirectory() as folder:
            demonstrate(system, Path(folder))
    except (DemoFailed, PhoneError, OSError) as problem:
        print(f"\nFAILED: {problem}")
        return 1
    print("\nThe demo held: provisioned from the cloud's configuration, registered, called, media direct, recorded.")
    return 0


@contextmanager
def running_system(state_dir: Path) -> Iterator[RunningSystem]:
    """The system in `state_dir`, started for the while when it is not running."""
    if found := read_running(state_dir):
        print(f"using the running system ({found.api_url})")
        yield found
        return
    print("nothing is running: starting the system for the demo", flush=True)
    command = [
        sys.executable,
        "-m",
        "cloud.local",
        "--state-dir",
        str(state_dir),
        "--any-ports",
        "--no-portal",
        "--no-installer",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    came = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("ready"):
                came.set()
        came.set()

    threading.Thread(target=read, daemon=True).start()
    try:
        came.wait(300)
        started = read_running(state_dir)
        if started is None:
            raise DemoFailed(f"the system did not become ready:\n{''.join(lines[-20:])}")
        yield started
    finally:
        process.terminate()
        process.wait(60)


def demonstrate(system: RunningSystem, folder: Path) -> dict[str, Any]:
    """Every step in turn, printed as it holds; the call's record as the API returned it."""
    first, second = system.phones
    yealink_file = fetch_by_tftp(first.host, first.tftp_port, first.file)
    caller = yealink_account(yealink_file)
    print(f"1. {first.name}: fetched {first.file} by TFTP ({len(yealink_file)} bytes), account {caller.username}")
    generic_file = fetch_by_http(second.host, second.http_port, second.file)
    callee = generic_account(generic_file)
    print(f"2. {second.name}: fetched {second.file} by HTTP ({len(generic_file)} bytes), account {callee.username}")

    edge = family_of(system.edge_pid)
    before = udp_ports(edge)
    with Baresip(folder / "callee", callee, tone_hz=600) as answering, Baresip(folder / "caller", caller) as calling:
        answering.registered()
        calling.registered()
        print("3. both phones registered with the edge")
        calling.dial(f"sip:{callee.username}@{caller.domain}")
        answering.accept()
        calling.wait_for("CALL_ESTABLISHED")
        threading.Event().wait(TALK_SECONDS)
        opened = udp_ports(family_of(system.edge_pid)) - before
        calling.hang_up()
        answering.wait_for("CALL_CLOSED")
        call_id = check_media(calling, answering, opened)
    record = call_record(system, call_id)
    print("6. the record, as the cloud's API returns it:")
    print(json.dumps(record, indent=2))
    if record["disposition"] != "answered":
        raise DemoFailed(f"the call was recorded as {record['disposition']}")
    return record


def check_media(calling: Baresip, answering: Baresip, opened: set[int]) -> str:
    """That the media went directly; the Call-ID."""
    offer_sent, answer_got = sdp_of(calling, "INVITE", sent=True), sdp_of(calling, "SIP/2.0 200", sent=False)
    offer_got, answer_sent = sdp_of(answering, "INVITE", sent=False), sdp_of(answering, "SIP/2.0 200", sent=True)
    if offer_sent.body != offer_got.body or answer_sent.body != answer_got.body:
        raise DemoFailed("an SDP was changed on its way")
    print(f"4. each SDP reached the other side unchanged ({len(offer_sent.body)} and {len(answer_sent.body)} bytes)")
    if opened:
        raise DemoFailed(f"the edge opened UDP ports during the call: {sorted(opened)}")
    counts = calling.packets(), answering.packets()
    if min(*counts[0], *counts[1]) <= LEAST_PACKETS:
        raise DemoFailed(f"too few packets: {counts}")
    print(
        f"5. media went directly: the edge opened no RTP socket; packets sent/received: "
        f"caller {counts[0][0]}/{counts[0][1]}, callee {counts[1][0]}/{counts[1][1]}"
    )
    return offer_sent.call_id


def sdp_of(phone: Baresip, start: str, *, sent: bool) -> SipTrace:
    """The last message with a body that begins so."""
    found = [m for m in phone.traffic() if m.sent is sent and m.start_line.startswith(start) and m.body]
    if not found:
        raise DemoFailed(f"{phone.account.username} {'sent' if sent else 'got'} no {start} with a body")
    return found[-1]


def call_record(system: RunningSystem, call_id: str, within: float = 10.0) -> dict[str, Any]:
    """The call's record, from the API, as soon as it is there."""
    api = ApiClient(system.api_url)
    api.log_in(system.email, system.password)
    pause = threading.Event()
    for _ in range(int(within / 0.1)):
        for record in api.get(f"/calls?site_id={system.site_id}&limit=20")["items"]:
            if record["sip_call_id"] == call_id:
                return dict(record)
        pause.wait(0.1)
    raise DemoFailed(f"no call record within {within} s")


if __name__ == "__main__":
    sys.exit(main())
