"""Kamailio 5.6 (Debian package kamailio) as a gateway: what comes from the edge goes to the public network, which a
test plays, and what comes from there goes to the edge. It stays in the dialogs, and asks nobody for a password.
"""

import shutil
import subprocess
from pathlib import Path
from string import Template
from typing import Final, Self

from tests.support.waiting import eventually

_MODULES: Final = "/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/"
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
request_route {
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) t_relay();
        else if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }
    if ($$rU == "$busy") {
        sl_send_reply("503", "All Lines Busy");
        exit;
    }
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


class KamailioGateway:
    """One running gateway; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        port: its own, of 127.0.0.1.
        edge: UDP port of the edge.
        network: UDP port of whoever plays the public network.
    """

    def __init__(self, folder: Path, port: int, edge: int, network: int) -> None:
        folder.mkdir()
        self._folder, self._log, self.port = folder, folder / "log", port
        text = _CONFIG.substitute(modules=_MODULES, port=port, edge=edge, network=network, busy=ALL_LINES_BUSY)
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
        return b"Listening on" in self._log.read_bytes()

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
