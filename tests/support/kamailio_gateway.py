"""Kamailio 5.6 (Debian package kamailio) as a gateway: what comes from the edge goes to the public network, which a
test plays, and what comes from there goes to the edge. It stays in the dialogs, and asks nobody for a password.
"""

import re
from pathlib import Path
from string import Template
from typing import Final

from tests.support.kamailio_process import MODULES, KamailioProcess

_CONFIG: Final = Template("""#!KAMAILIO
debug=2
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:$port
mpath="$modules"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
request_route {
    xlog("L_WARN", "GOT $$rm FROM $$sp\\n$$mb\\nEND\\n");
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) t_relay();
        else if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }
    if (is_method("OPTIONS")) {
        sl_send_reply("200", "OK");
        exit;
    }
    if ($$rU == "$busy") {
        sl_send_reply("503", "All Lines Busy");
        exit;
    }
    remove_hf("Route");
    record_route();
    if ($$sp == $edge) {
        $$du = "sip:127.0.0.1:$network";
    } else {
        $$ru = "sip:" + $$rU + "@127.0.0.1:$edge";
    }
    t_relay();
}
""")
ALL_LINES_BUSY: Final = "0449990000"
"""The gateway has no line for this number."""


class KamailioGateway(KamailioProcess):
    """One running gateway; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        port: its own, of 127.0.0.1.
        edge: UDP port of the edge.
        network: UDP port of whoever plays the public network.
    """

    def __init__(self, folder: Path, port: int, edge: int, network: int) -> None:
        self.port, self._edge = port, edge
        text = _CONFIG.substitute(modules=MODULES, port=port, edge=edge, network=network, busy=ALL_LINES_BUSY)
        super().__init__(folder, text)

    def invites(self) -> list[str]:
        """The INVITEs that came from the edge, oldest first."""
        text = self._log.read_text("utf-8", "replace")
        return re.findall(rf"GOT INVITE FROM {self._edge}\n(.*?)END\n", text, re.DOTALL)
