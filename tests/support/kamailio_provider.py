"""Kamailio (Debian package kamailio) as a provider (ITSP): accounts register with digest and place calls with it; their
numbers lead to where they registered, with the number in To, or in the Request-URI before the contact's parameters.
"""

import re
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
auto_aliases=no
listen=udp:127.0.0.1:$port
listen=tcp:127.0.0.1:$port
tcp_children=1
mpath="$modules"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("registrar", "max_contacts", 1)
modparam("registrar", "min_expires", $least)
modparam("registrar", "max_expires", $most)
modparam("registrar", "default_expires", $most)
request_route {
    xlog("L_WARN", "GOT $$rm $$ru FROM $$fu $$ft CONTACT $$ct AUTH $$au\\n$$mb\\nEND\\n");
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
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("$realm", "password-of-$$fU", "0")) {
            www_challenge("$realm", "1");
            exit;
        }
        save("location");
        exit;
    }
    if (is_method("INVITE")) {
        if (!pv_proxy_authenticate("$realm", "password-of-$$au", "0") || $$au == $$null) {
            proxy_challenge("$realm", "1");
            exit;
        }
        consume_credentials();
    }
    if ($$rU == "$busy") {
        sl_send_reply("503", "All Lines Busy");
        exit;
    }
    record_route();
    $$var(called) = $$rU;
    if ($$rU =~ "^$did") {
        $$rU = "$account";
    }
    if (!lookup("location")) {
        sl_send_reply("404", "Not Found");
        exit;
    }
    if ($in_uri && $$var(called) =~ "^$did") {
        $$rU = $$var(called);
    }
    t_relay();
}
""")
ALL_LINES_BUSY: Final = "0449990000"
"""The provider has no line for this number."""
REALM: Final = "provider.test"


class KamailioProvider:
    """One running provider; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        port: its own, of 127.0.0.1.
        account: whose the numbers are that begin with `numbers`.
        numbers: a prefix.
        in_uri: whether calls to them have the number in the Request-URI, and not in To only.
        expires: least and most seconds of a registration.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        account: str = "office",
        numbers: str = "0441112",
        *,
        in_uri: bool = False,
        expires: tuple[int, int] = (30, 3600),
    ) -> None:
        folder.mkdir()
        self._folder, self._log, self.port = folder, folder / "log", port
        text = _CONFIG.substitute(
            modules=_MODULES,
            port=port,
            realm=REALM,
            busy=ALL_LINES_BUSY,
            did=numbers,
            account=account,
            in_uri=int(in_uri),
            least=expires[0],
            most=expires[1],
        )
        (folder / "kamailio.cfg").write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"
        command = [program, "-f", str(self._folder / "kamailio.cfg"), "-DD", "-E", "-Y", str(self._folder)]
        with self._log.open("ab") as log:
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

    def requests(self, method: str, user: str = "") -> list[str]:
        """The requests of a method, those from a user only if one is given, as they arrived, oldest first."""
        text = self._log.read_text("utf-8", "replace")
        found = re.findall(r"GOT (\w+) (\S+) FROM (\S+) (\S+) CONTACT .*? AUTH (\S+)\n(.*?)END\n", text, re.DOTALL)
        return [body for kind, _, source, _, auth, body in found if kind == method and user in (source, auth, "")]
