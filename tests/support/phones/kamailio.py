"""Kamailio 5.6 (Debian packages kamailio, kamailio-tls-modules) as a proxy between phones and the edge.

It adds Path (RFC 3327) to registrations and Record-Route to calls, and forwards all that comes from phones to the
edge, by the transport that it came by. It neither authenticates nor registers: that is the edge's.
"""

import socket
from pathlib import Path
from string import Template
from typing import ClassVar, Final

from cloud.local.baresip import free_pair
from tests.support.certificates import Authority
from tests.support.kamailio_process import MODULES, KamailioProcess
from tests.support.phones.site import HOST

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


class Kamailio(KamailioProcess):
    """One running Kamailio; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        edge: `host:port` of the edge by transport.
        authority: signs its certificate, and the edge's.
    """

    program: ClassVar[str] = "kamailio"

    def __init__(self, folder: Path, edge: dict[str, str], authority: Authority) -> None:
        port = free_pair()
        certificate, key = authority.issue(HOST, "kamailio")
        self.target = {"udp": f"{HOST}:{port}", "tcp": f"{HOST}:{port}", "tls": f"{HOST}:{port + 1}"}
        text = _CONFIG.substitute(
            host=HOST,
            port=port,
            tls_port=port + 1,
            modules=MODULES,
            certificate=certificate,
            key=key,
            authority=authority.file,
            **{f"edge_{name}": edge[name] for name in self.target},
            **{f"edge_{name}_port": edge[name].rpartition(":")[2] for name in self.target},
        )
        super().__init__(folder, text)

    def _is_up(self) -> bool:
        if not super()._is_up():
            return False
        host, _, port = self.target["tcp"].rpartition(":")
        try:
            # Its processes are started one by one after it said so; the one that accepts is the last.
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return False
        return True
