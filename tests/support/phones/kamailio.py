"""Kamailio 5.6 (Debian packages kamailio, kamailio-tls-modules) as a proxy between phones and the edge.

It adds Path (RFC 3327) to registrations and Record-Route to calls, and forwards all that comes from phones to the
edge, by the transport that it came by. It neither authenticates nor registers: that is the edge's.
"""

import shutil
import socket
import subprocess
from pathlib import Path
from string import Template
from typing import ClassVar, Final, Self

from cloud.local.baresip import free_pair
from tests.support.certificates import Authority
from tests.support.phones.site import HOST
from tests.support.waiting import eventually

_MODULES: Final = "/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/"
_CONFIG: Final = Template("""#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
enable_tls=yes
listen=udp:$host:$port
listen=tcp:$host:$port
listen=tls:$host:$tls_port
mpath="$modules"
loadmodule "tls.so"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "path.so"
loadmodule "nathelper.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tls", "certificate", "$certificate")
modparam("tls", "private_key", "$key")
modparam("tls", "ca_list", "$authority")
modparam("tls", "tls_method", "TLSv1.2+")
modparam("path", "use_received", 1)
request_route {
    if (!mf_process_maxfwd_header("20")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            if ($$du == $$null) handle_ruri_alias();
            if (is_method("INVITE|UPDATE|REFER|NOTIFY|SUBSCRIBE")) route(reached);
            t_on_reply("answered");
            t_relay();
        } else if (is_method("ACK")) {
            if (t_check_trans()) t_relay();
        } else {
            sl_send_reply("404", "Not Here");
        }
        exit;
    }
    if (is_method("INVITE|REFER|SUBSCRIBE")) record_route();
    if ($$(route_uri{uri.user}) == "phones") {
        # Along the Path: from the edge to a phone.
        loose_route();
        t_on_reply("answered");
        t_relay();
        exit;
    }
    remove_hf("Route");
    if (is_method("REGISTER")) add_path_received("phones");
    if (is_method("INVITE")) set_contact_alias();
    if ($$proto == "tls") {
        $$du = "sip:$edge_tls;transport=tls";
    } else if ($$proto == "tcp") {
        $$du = "sip:$edge_tcp;transport=tcp";
    } else {
        $$du = "sip:$edge_udp";
    }
    t_relay();
}
onreply_route[answered] {
    route(reached);
}
route[reached] {
    # A phone on a stream is reached through the stream, also within a dialog and after its target was refreshed.
    if ($$sp != $edge_udp_port && $$sp != $edge_tcp_port && $$sp != $edge_tls_port) set_contact_alias();
}
""")


class Kamailio:
    """One running Kamailio; use as a context manager.

    Args:
        folder: empty, for its configuration and what it says.
        edge: `host:port` of the edge by transport.
        authority: signs its certificate, and the edge's.
    """

    program: ClassVar[str] = "kamailio"

    def __init__(self, folder: Path, edge: dict[str, str], authority: Authority) -> None:
        folder.mkdir()
        self._folder, self._log = folder, folder / "log"
        port = free_pair()
        certificate, key = authority.issue(HOST, "kamailio")
        self.target = {"udp": f"{HOST}:{port}", "tcp": f"{HOST}:{port}", "tls": f"{HOST}:{port + 1}"}
        text = _CONFIG.substitute(
            host=HOST,
            port=port,
            tls_port=port + 1,
            modules=_MODULES,
            certificate=certificate,
            key=key,
            authority=authority.file,
            **{f"edge_{name}": edge[name] for name in self.target},
            **{f"edge_{name}_port": edge[name].rpartition(":")[2] for name in self.target},
        )
        (folder / "kamailio.cfg").write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"
        command = [program, "-f", str(self._folder / "kamailio.cfg"), "-DD", "-E", "-Y", str(self._folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, "-m", "64", "-M", "8"], stdout=log, stderr=log)
        eventually(self._is_up, 15, "Kamailio listens")
        return self

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.said()
        if b"Listening on" not in self._log.read_bytes():
            return False
        host, _, port = self.target["tcp"].rpartition(":")
        try:
            # Its processes are started one by one after it said so; the one that accepts is the last.
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text("utf-8", "replace")[-3000:]
