"""linphonec 5.1 (Debian package linphone-cli) behind the verbs of a phone, by its console and its log.

Its TLS compares the name of a certificate only, not the addresses in it: the authority is checked, the name is not.
"""

import re
import subprocess
from typing import ClassVar, Final

from cloud.local.baresip import free_pair, write_tone
from tests.support.phones.phone import Event, Lines, Phone, Seen
from tests.support.phones.trace import Trace

_STATES: Final = {
    "CallIncomingReceived": Seen.INCOMING,
    "CallOutgoingRinging": Seen.RINGING,
    "CallConnected": Seen.ANSWERED,
    "CallEnd": Seen.CLOSED,
    "CallError": Seen.CLOSED,
    "CallPausedByRemote": Seen.HELD,
}
_REGISTERED: Final = "to [LinphoneRegistrationOk]"
_CHANGED: Final = re.compile(r"CallSession \[\S+\] moving from state Linphone(\w+) to Linphone(\w+)")
_HEARD: Final = re.compile(r"ortp-message-received +([1-9]\d*) packets")
_ASSIGNED: Final = re.compile(r"assigned id (\d+)")
CONFIG: Final = """[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
bind_address=127.0.0.1
root_ca={authority}
verify_server_certs=1
verify_server_cn=0
guess_hostname=1
inc_timeout={ringing}
inc_timeout_status_code=480
default_proxy=0
contact=sip:{username}@127.0.0.1

[net]
mtu=1300

[rtp]
audio_rtp_port={rtp}
bind_address=127.0.0.1

[misc]
file_transfer_protocol=off

[auth_info_0]
username={username}
userid={auth_username}
passwd={password}
domain={domain}

[proxy_0]
reg_proxy=sip:{registrar};transport={transport}
reg_route=sip:{registrar};transport={transport};lr
reg_identity=sip:{username}@{domain}
reg_expires=60
reg_sendregister=1
publish=0
"""


class LinphonePhone(Phone):
    """One linphonec, its console on a pipe."""

    program: ClassVar[str] = "linphonec"
    busy_status: ClassVar[int] = 603

    def start(self) -> None:
        account, has = self.account, -1
        write_tone(self.folder / "speaks.wav", 440)
        config = CONFIG.format(
            username=account.username,
            auth_username=account.auth_username,
            password=account.password,
            domain=account.domain,
            registrar=account.registrar,
            transport=account.transport,
            authority=self.surroundings.authority,
            rtp=free_pair(),
            ringing=self.ringing_seconds,
            **{kind: has if kind == account.transport else 0 for kind in ("udp", "tcp", "tls")},
        )
        file = self.folder / "linphonerc"
        file.touch(mode=0o600)
        file.write_text(config, encoding="utf-8")
        # It does not start without a place for its database, and does not make that place.
        (self.folder / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        self._trace = Trace()
        (self.folder / "log").unlink(missing_ok=True)
        self._said, self._lines = self.folder / "said", Lines(self.folder / "log")
        home = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        command = ["linphonec", "-c", str(file), "-d", "6", "-l", str(self.folder / "log")]
        with self._said.open("wb") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=home)
        self._do("soundcard use files")
        self._do(f"play {self.folder / 'speaks.wav'}")

    def stop(self) -> None:
        try:
            self._do("quit")
            self._process.wait(3)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def poll(self) -> list[Event]:
        assert self._process.poll() is None, f"{self.name} ended with {self._process.returncode}:\n{self.said()}"
        return [event for line in self._lines.new() for event in self._events_of(line)]

    def _events_of(self, line: str) -> list[Event]:
        found = self._trace.take(line)
        if _REGISTERED in line:
            found.append(Event(Seen.REGISTERED))
        elif _HEARD.search(line):
            found.append(Event(Seen.HEARD))
        elif changed := _CHANGED.search(line):
            before, after = changed.groups()
            if before == "CallPausedByRemote" and after == "CallStreamsRunning":
                found.append(Event(Seen.RESUMED))
            elif what := _STATES.get(after):
                found.append(Event(what, self._trace.take_refusal() if what is Seen.CLOSED else ""))
        return found

    def _do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()

    def call(self, number: str) -> None:
        self._do(f"call {self.uri(number)}")

    def answer(self) -> None:
        self._do("answer")

    def decline(self) -> None:
        self._do("terminate")

    def let_it_ring(self) -> None:
        """It stops ringing by itself."""

    def hang_up(self) -> None:
        self._do("terminate")

    def hold(self) -> None:
        self._do("pause")

    def resume(self) -> None:
        self._do("resume")

    def transfer(self, number: str) -> None:
        self._do(f"transfer {self.uri(number)}")

    def join(self) -> None:
        first, second = _ASSIGNED.findall(self._said.read_text("utf-8", "replace"))[-2:]
        self._do(f"transfer {first} --to-call {second}")

    def said(self) -> str:
        parts = [self._said, self._lines.path]
        return "\n".join(part.read_text("utf-8", "replace")[-2500:] for part in parts if part.exists())
