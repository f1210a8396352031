"""Drive a real soft phone that is not ours: baresip 1.x as a subprocess, by its control socket.

Facts of baresip 1.0: it listens for TLS one port above its SIP port; it never authenticates when SHA-256 is among
the challenges; `net_interface` also takes an address; commands and events travel as netstrings of JSON.
"""

import json
import math
import re
import shutil
import socket
import struct
import subprocess
import threading
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

MODULES: Final = (
    Path("/usr/lib/baresip/modules"),
    Path("/usr/lib/x86_64-linux-gnu/baresip/modules"),
    Path("/usr/local/lib/baresip/modules"),
)
_COLOURS: Final = re.compile(rb"\x1b\[[0-9;]*m")
_TRACED: Final = re.compile(rb"#\n(?:UDP|TCP|TLS) (\S+) -> (\S+)\n")
"""What precedes a message; during a call it stands at the end of the line that shows the bit rate."""
_REGISTERED: Final = re.compile(r"\{\d+/\w+/v\d\} (\d{3}) ")
_PACKETS: Final = re.compile(r"packets:\s+(\d+)\s+(\d+)")


class PhoneError(Exception):
    """The soft phone did not do what was asked in time; the text says what it said instead."""


@dataclass(frozen=True)
class PhoneAccount:
    """What a phone needs to register; `password` stays out of every text."""

    username: str
    auth_username: str
    password: str = field(repr=False)
    domain: str
    registrar: str
    """`host:port` that the phone sends everything to."""
    transport: str = "udp"


@dataclass(frozen=True)
class SipTrace:
    """One SIP message that the phone sent or received."""

    sent: bool
    start_line: str
    call_id: str
    body: bytes


class Baresip:
    """One running baresip with one account; use as a context manager.

    Args:
        folder: an empty folder for its configuration and recordings.
        account: what it registers with.
        tone_hz: the tone that it speaks.
        expires_seconds: registration interval; 0 does not register.
        authority: PEM file of whose certificates it believes over TLS; None: anybody's.
        ringing_seconds: how long a call that comes in may ring.
        recording: whether what it hears is written into its folder, as `dump-…-dec.wav`, one file for each call.
        address: what it sends from and listens at.
        encryption: of its audio, by baresip's name (`dtls_srtp`); empty: none.
    """

    def __init__(
        self,
        folder: Path,
        account: PhoneAccount,
        tone_hz: int = 440,
        expires_seconds: int = 600,
        authority: Path | None = None,
        ringing_seconds: int = 120,
        recording: bool = False,
        address: str = "127.0.0.1",
        encryption: str = "",
    ) -> None:
        self.account, self.folder, self.tone_hz = account, folder, tone_hz
        self._events: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._sip_port, self._control_port, self._address = free_pair(), _free_tcp(), address
        _configure(
            folder,
            account,
            self._sip_port,
            self._control_port,
            tone_hz,
            expires_seconds,
            authority,
            ringing_seconds,
            address,
            encryption,
        )
        if recording:
            with (folder / "config").open("a", encoding="utf-8") as config:
                # Its jitter buffer takes another sender, whose numbers may be lower, for one that is late.
                config.write(f"module sndfile.so\nsnd_path {folder}\njitter_buffer_delay 0-0\n")
        self._log = folder / "log"

    def __enter__(self) -> Self:
        program = shutil.which("baresip")
        if program is None:
            raise PhoneError("baresip is not on this machine (Debian package: baresip)")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, "-s", "-v", "-f", str(self.folder)], stdout=log, stderr=log)
        try:
            self._control = self._connect()
        except PhoneError:
            self.__exit__()
            raise
        threading.Thread(target=self._read_events, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if control := getattr(self, "_control", None):
            control.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connect(self) -> socket.socket:
        pause = threading.Event()
        for _ in range(500):
            if self._process.poll() is not None:
                break
            try:
                return socket.create_connection(("127.0.0.1", self._control_port), timeout=60)
            except OSError:
                pause.wait(0.02)
        raise PhoneError(f"baresip did not start: {self.log()[-400:]}")

    def _read_events(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b":" in buffer:
                length, _, rest = buffer.partition(b":")
                if len(rest) < int(length) + 1:
                    break
                event = json.loads(rest[: int(length)])
                buffer = rest[int(length) + 1 :]
                with self._arrived:
                    self._events.append(event)
                    self._arrived.notify_all()

    @property
    def at(self) -> str:
        """`host:port` where it listens for SIP."""
        return f"{self._address}:{self._sip_port}"

    def command(self, command: str, params: str = "") -> None:
        """Send one command of baresip's menu, such as `dial` with a URI."""
        text = json.dumps({"command": command, "params": params}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def wait_for(self, *types: str, within: float = 10.0) -> dict[str, Any]:
        """The next event of one of `types` (REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED…); it and all
        before it are then forgotten."""

        def first() -> int | None:
            return next((at for at, event in enumerate(self._events) if event.get("type") in types), None)

        with self._arrived:
            if not self._arrived.wait_for(lambda: first() is not None, within):
                seen = [event.get("type") for event in self._events]
                raise PhoneError(f"{self.account.username}: no {' or '.join(types)} within {within} s, only {seen}")
            at = first()
            assert at is not None  # noqa: S101  the condition above
            event = self._events[at]
            del self._events[: at + 1]
            return event

    def take_events(self) -> list[dict[str, Any]]:
        """Every event since the last time; they are then forgotten."""
        with self._arrived:
            taken, self._events[:] = list(self._events), []
            return taken

    def registered(self, within: float = 10.0) -> None:
        """Wait until the registrar has said 200; it may have done so before the control socket was there."""
        pause = threading.Event()
        for _ in range(int(within / 0.05)):
            if found := _REGISTERED.search(self.log()):
                if found[1] != "200":
                    break
                return
            pause.wait(0.05)
        said = [trace.start_line for trace in self.traffic() if not trace.sent]
        raise PhoneError(f"{self.account.username} is not registered within {within} s; the edge said {said}")

    def dial(self, uri: str) -> None:
        """Call `uri`."""
        self.command("dial", uri)

    def accept(self, within: float = 10.0) -> None:
        """Wait for a call and answer it."""
        self.wait_for("CALL_INCOMING", within=within)
        self.command("accept")

    def hang_up(self) -> None:
        """End the current call."""
        self.command("hangup")

    def log(self) -> str:
        """All that it printed so far."""
        return _COLOURS.sub(b"", self._log.read_bytes()).decode("utf-8", "replace")

    def packets(self, within: float = 5.0) -> tuple[int, int]:
        """RTP packets sent and received in the calls that have ended, by baresip's own count.

        It is printed a moment after the call has closed: waited for, and (0, 0) when it does not come.
        """
        pause = threading.Event()
        for _ in range(int(within / 0.05)):
            if _PACKETS.search(self.log()):
                break
            pause.wait(0.05)
        found = _PACKETS.findall(self.log())
        return sum(int(sent) for sent, _ in found), sum(int(received) for _, received in found)

    def traffic(self) -> list[SipTrace]:
        """Every SIP message sent and received, oldest first."""
        return self.traffic_since(0)[0]

    def traffic_since(self, place: int) -> tuple[list[SipTrace], int]:
        """The SIP messages that stand whole in the log from `place` on, and the place to go on from."""
        with self._log.open("rb") as log:
            log.seek(place)
            data = log.read()
        own = f"{self._address}:{self._sip_port}".encode()
        messages, done = [], 0
        for found in _TRACED.finditer(data):
            head, end, rest = data[found.end() :].partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
            size = int(length[1]) if length else 0
            if not end or len(rest) < size:
                break
            start_line = head.split(b"\r\n", 1)[0].decode("utf-8", "replace")
            named = re.search(rb"(?im)^call-id:\s*(\S+)", head)
            call_id = named[1].decode("ascii", "replace") if named else ""
            messages.append(SipTrace(found[1] == own, start_line, call_id, rest[:size]))
            done = found.end() + len(head) + 4 + size
        return messages, place + done


def _configure(
    folder: Path,
    account: PhoneAccount,
    sip_port: int,
    control_port: int,
    tone_hz: int,
    expires_seconds: int,
    authority: Path | None,
    ringing_seconds: int,
    address: str,
    encryption: str,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    modules = next((path for path in MODULES if path.is_dir()), None)
    if modules is None:
        raise PhoneError(f"no baresip modules in {', '.join(map(str, MODULES))}")
    write_tone(folder / "speaks.wav", tone_hz)
    rtp = free_pair()
    lines = [
        "poll_method epoll",
        f"sip_listen {address}:{sip_port}",
        f"net_interface {address}",
        f"rtp_ports {rtp}-{min(rtp + 20, 65534)}",
        "rtp_stats yes",
        f"call_local_timeout {ringing_seconds}",
        f"audio_source aufile,{folder / 'speaks.wav'}",
        f"audio_player aufile,{folder / 'heard.wav'}",
        "audio_alert aufile,/dev/null",
        f"module_path {modules}",
        "module g711.so",
        "module aufile.so",
        "module_tmp account.so",
        "module_app menu.so",
        "module_app ctrl_tcp.so",
        f"ctrl_tcp_listen 127.0.0.1:{control_port}",
    ]
    if authority is not None:
        lines.append(f"sip_cafile {authority}")
    if encryption:
        lines.append(f"module {encryption}.so")
    (folder / "config").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "accounts").touch(mode=0o600)
    (folder / "accounts").write_text(
        f"<sip:{account.username}@{account.domain};transport={account.transport}>;auth_user={account.auth_username}"
        f';auth_pass={account.password};outbound="sip:{account.registrar};transport={account.transport}"'
        f";regint={expires_seconds}{f';mediaenc={encryption}' if encryption else ''}\n",
        encoding="utf-8",
    )


def write_tone(path: Path, tone_hz: int, seconds: int = 30) -> None:
    """A 16-bit mono WAV of 8,000 samples a second, which baresip plays once."""
    period = [int(8000 * math.sin(2 * math.pi * tone_hz * at / 8000)) for at in range(8000)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<8000h", *period) * seconds)


def _free_tcp() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_pair() -> int:
    """A port that is free for UDP and TCP, the next one too."""
    for _ in range(200):
        port = _free_tcp()
        if port > 65000:
            continue
        try:
            for number in (port, port + 1):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(type=kind) as probe:
                        probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise PhoneError("no two neighbouring ports are free")
