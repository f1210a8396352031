"""The peer: Kamailio (Debian package kamailio) with one worker and its fast allocator, doing what the edge does.

Digest on REGISTER and INVITE, registrar in memory, Record-Route, stateful relay. It writes no call records, has no
dial plan and reports to no cloud; where the edge is dearer, that is part of the reason.
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.cpu import cpu_seconds, descendants
from benchmarks.sip_load import SipServer
from tests.support.sipp import SippAccount, free_udp_port

PROGRAM: Final = "kamailio"
EVERYTHING: Final = "all processes"
_START_SECONDS: Final = 15.0

_CONFIG: Final = """#!KAMAILIO
debug=0
log_stderror=yes
children=1
disable_tcp=yes
dns=no
rev_dns=no
auto_aliases=no
alias="{domain}"
listen=udp:127.0.0.1:{port}
loadmodule "tm"
loadmodule "sl"
loadmodule "rr"
loadmodule "pv"
loadmodule "maxfwd"
loadmodule "sanity"
loadmodule "textops"
loadmodule "siputils"
loadmodule "usrloc"
loadmodule "registrar"
loadmodule "htable"
loadmodule "auth"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_contacts", 10)
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 300)
modparam("htable", "htable", "passwords=>size=8;")

event_route[htable:mod-init] {{
{passwords}
}}

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (!sanity_check()) {{ exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{domain}", "$sht(passwords=>$au)", "0")) {{
            www_challenge("{domain}", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("{domain}", "$sht(passwords=>$au)", "0")) {{
            proxy_challenge("{domain}", "1");
            exit;
        }}
        consume_credentials();
        record_route();
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


class KamailioFailed(Exception):
    """It did not start; the text is what it said."""


def missing() -> str:
    """Why it cannot be measured; empty when it can."""
    return "" if shutil.which(PROGRAM) else "NOT RUN: kamailio (apt-get install kamailio)"


def version() -> str:
    """Such as `kamailio 5.6.3`."""
    said = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=False).stdout.split()
    return f"kamailio {said[2]}" if len(said) > 2 else PROGRAM


@contextmanager
def running(accounts: tuple[SippAccount, SippAccount]) -> Iterator[SipServer]:
    """Kamailio on loopback, knowing the same two accounts as the edge.

    Raises:
        KamailioFailed: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-kamailio-") as name:
        folder, port = Path(name), free_udp_port()
        passwords = "\n".join(f'    $sht(passwords=>{one.auth_username}) = "{one.password}";' for one in accounts)
        config, log = folder / "kamailio.cfg", folder / "log"
        config.touch(mode=0o600)
        config.write_text(_CONFIG.format(domain=accounts[0].domain, port=port, passwords=passwords))
        command = [PROGRAM, "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", "1024", "-f", str(config)]
        command += ["-w", str(folder), "-Y", str(folder), "-P", str(folder / "pid")]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait_answering(process, port, log)
            pids = descendants(process.pid)
            yield SipServer.of(version(), f"127.0.0.1:{port}", accounts, {EVERYTHING: lambda: cpu_seconds(pids)})
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_answering(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    asked = (
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bKready{1};rport\r\n"
        "From: <sip:ready@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: ready{1}\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
    )
    until = time.monotonic() + _START_SECONDS
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(0.2)
        number = 0
        while time.monotonic() < until and process.poll() is None:
            number += 1
            try:
                probe.sendto(asked.format(probe.getsockname()[1], number).encode(), ("127.0.0.1", port))
                probe.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
            return
    raise KamailioFailed(log.read_text(errors="replace")[-2000:])
