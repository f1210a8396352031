"""sipp 3.6 (Debian package sip-tester) as a phone: it does what its script says, and fails when the edge does else.

It has no TLS: Debian builds it without.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cloud.local.baresip import PhoneAccount, free_pair
from tests.support.phones.sipp_script import Script
from tests.support.sipp import SippAccount, SippFailed
from tests.support.waiting import eventually

_MODES: Final = {"udp": "u1", "tcp": "t1"}


@contextmanager
def sipp(
    folder: Path, account: PhoneAccount, script: Script, dialled: str = "", incoming: Script | None = None
) -> Iterator["RunningSipp"]:
    """One sipp, until the context is left.

    Args:
        folder: for its files.
        account: who it is.
        script: what it does, once.
        dialled: whom it calls.
        incoming: what it does with each call that comes in meanwhile.
    """
    place = folder / f"sipp-{account.username}-{free_pair()}"
    place.mkdir()
    (place / "script.xml").write_text(script.xml(), encoding="utf-8")
    row = SippAccount(account.username, account.auth_username, account.password, account.domain).row(dialled or "-")
    (place / "rows.csv").touch(mode=0o600)
    (place / "rows.csv").write_text(f"SEQUENTIAL\n{row}\n", encoding="utf-8")
    port = free_pair()
    command = ["sipp", account.registrar, "-sf", str(place / "script.xml"), "-inf", str(place / "rows.csv")]
    command += ["-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(free_pair() & ~1)]
    command += ["-t", _MODES[account.transport], "-m", "1", "-nostdin", "-trace_err", "-trace_msg"]
    command += ["-error_file", str(place / "errors"), "-message_file", str(place / "messages")]
    if incoming is not None:
        (place / "incoming.xml").write_text(incoming.xml(), encoding="utf-8")
        command += ["-oocsf", str(place / "incoming.xml")]
    with (place / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=place)
    try:
        yield RunningSipp(process, place)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class RunningSipp:
    """One sipp at its script."""

    def __init__(self, process: subprocess.Popen[bytes], place: Path) -> None:
        self._process, self._place = process, place

    def succeeds(self, within: float = 20.0) -> None:
        """Wait for its end.

        Raises:
            SippFailed: it met something that its script does not say.
        """
        try:
            status = self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise SippFailed(f"sipp was not done within {within:g} s:\n{self.said()}") from None
        if status:
            raise SippFailed(f"sipp ended with {status}:\n{self.said()}")

    def receives(self, start: str, within: float = 15.0) -> None:
        """Wait for a message that begins like this.

        Raises:
            SippFailed: it did not come.
        """
        eventually(lambda: self._has(start), within, f"sipp gets {start}: {self.said()}")

    def _has(self, start: str) -> bool:
        messages = self._place / "messages"
        return messages.exists() and f"\n\n{start}" in messages.read_text("utf-8", "replace").replace("\r", "")

    def said(self) -> str:
        """Its errors, and the last messages."""
        texts = [self._place / name for name in ("errors", "messages", "said")]
        return "\n".join(text.read_text("utf-8", "replace")[-2500:] for text in texts if text.exists())
