"""The peer: Kamailio (Debian packages kamailio, kamailio-tls-modules), doing for the same site what the edge does.

One worker for UDP and one for streams, its fast allocator, digest with HA1 from memory on REGISTER and INVITE,
registrar in memory, Record-Route, stateful relay. It writes no call records, has no dial plan and reports to no
cloud; where the edge is dearer, that is part of the reason.
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.cpu import descendants
from benchmarks.sip.server import DOMAIN, FIRST_USER, HOST, REALM, USERS, SipServer
from edge_agent.sip.transport.making_certificate import make_certificate
from tests.support.peers import PACKAGES

PROGRAM: Final = "kamailio"
EVERYTHING: Final = "all processes"
_START_SECONDS: Final = 30.0
_TLS_MODULES: Final = "/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so"
_SHARED_MB: Final = 1024

_CONFIG: Final = """#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
dns=no
rev_dns=no
auto_aliases=no
max_while_loops={count}
alias="{domain}"
listen=udp:{host}:{udp}
listen=tcp:{host}:{tcp}
listen=tls:{host}:{tls}
loadmodule "tls"
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
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{folder}/certificate.pem")
modparam("tls", "private_key", "{folder}/key.pem")
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "max_contacts", 10)
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 300)
modparam("htable", "htable", "hashes=>size=14;")

event_route[htable:mod-init] {{
    $var(user) = {first};
    while ($var(user) < {end}) {{
        $var(name) = "auth" + $var(user);
        $var(secret) = $var(name) + ":{realm}:password-" + $var(user);
        $sht(hashes=>$var(name)) = $(var(secret){{s.md5}});
        $var(user) = $var(user) + 1;
    }}
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
        if (!pv_www_authenticate("{realm}", "$sht(hashes=>$au)", "1")) {{
            www_challenge("{realm}", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("{realm}", "$sht(hashes=>$au)", "1")) {{
            proxy_challenge("{realm}", "1");
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
    there = shutil.which(PROGRAM) and Path(_TLS_MODULES).exists()
    return "" if there else f"NOT RUN: kamailio (apt-get install {PACKAGES[PROGRAM]})"


def version() -> str:
    """Such as `kamailio 5.6.3`."""
    said = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=False).stdout.split()
    return f"kamailio {said[2]}" if len(said) > 2 else PROGRAM


@contextmanager
def running() -> Iterator[SipServer]:
    """Kamailio on loopback, knowing the same phones as the edge.

    Raises:
        KamailioFailed: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-kamailio-") as name:
        folder, ports = Path(name), _free_ports()
        now = datetime.now(UTC)
        made = make_certificate((HOST,), now, now + timedelta(days=1))
        _write(folder / "certificate.pem", made[0].decode())
        _write(folder / "key.pem", made[1].decode())
        config, log = folder / "kamailio.cfg", folder / "log"
        site = {"domain": DOMAIN, "realm": REALM, "first": FIRST_USER, "end": FIRST_USER + USERS, "count": USERS + 1}
        _write(config, _CONFIG.format(host=HOST, folder=folder, **site, **ports))
        command = [PROGRAM, "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", str(_SHARED_MB), "-f", str(config)]
        command += ["-w", str(folder), "-Y", str(folder), "-P", str(folder / "pid")]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait_answering(process, ports["udp"], log)
            yield SipServer(version(), ports, {EVERYTHING: lambda: descendants(process.pid)})
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _free_ports() -> dict[str, int]:
    kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM, "tls": socket.SOCK_STREAM}
    with ExitStack() as stack:
        held = {name: stack.enter_context(socket.socket(type=kind)) for name, kind in kinds.items()}
        for one in held.values():
            one.bind((HOST, 0))
        return {name: one.getsockname()[1] for name, one in held.items()}


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
