"""Kamailio (Debian package kamailio) as a provider (ITSP): accounts register with digest and place calls with it; their
numbers lead to where they registered, with the number in To, or in the Request-URI before the contact's parameters.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from tests.support.kamailio_process import MODULES, KamailioProcess

_CONFIG: Final = Template("""#!KAMAILIO
debug=2
log_stderror=yes
children=1
auto_aliases=no
listen=udp:127.0.0.1:$port
listen=tcp:127.0.0.1:$port
tcp_children=1
$encrypted
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
$modules_of_tls
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


_TLS_MODULE: Final = 'loadmodule "tls.so"\nmodparam("tls", "config", "{folder}/tls.cfg")'
"""Debian package kamailio-tls-modules."""


@dataclass(frozen=True, slots=True)
class ProviderTls:
    """What a provider proves itself with, and what it asks of others.

    Args:
        certificate: PEM.
        key: PEM.
        clients: authorities of which a client needs a certificate; None: clients need none.
    """

    certificate: Path
    key: Path
    clients: Path | None = None

    def configuration(self) -> str:
        """The file of Kamailio's TLS module."""
        asks = "yes" if self.clients is not None else "no"
        server = f"verify_certificate = {asks}\nrequire_certificate = {asks}\n"
        server += f"ca_list = {self.clients}\n" if self.clients is not None else ""
        own = f"method = TLSv1.2+\ncertificate = {self.certificate}\nprivate_key = {self.key}\n"
        return f"[server:default]\n{own}{server}[client:default]\n{own}verify_certificate = no\n"


class KamailioProvider(KamailioProcess):
    """One running provider; use as a context manager.

    Args:
        folder: made here, for its configuration and what it says.
        port: its own, of 127.0.0.1.
        account: whose the numbers are that begin with `numbers`.
        numbers: a prefix.
        tls: what it listens for encrypted connections with, at the port next to its own; None: it does not.
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
        tls: ProviderTls | None = None,
        in_uri: bool = False,
        expires: tuple[int, int] = (30, 3600),
    ) -> None:
        self.port = port
        text = _CONFIG.substitute(
            modules=MODULES,
            port=port,
            realm=REALM,
            busy=ALL_LINES_BUSY,
            did=numbers,
            account=account,
            in_uri=int(in_uri),
            least=expires[0],
            most=expires[1],
            encrypted=f"enable_tls=yes\nlisten=tls:127.0.0.1:{port + 1}" if tls is not None else "",
            modules_of_tls=_TLS_MODULE.format(folder=folder) if tls is not None else "",
        )
        super().__init__(folder, text)
        if tls is not None:
            (folder / "tls.cfg").write_text(tls.configuration(), encoding="utf-8")

    def requests(self, method: str, user: str = "") -> list[str]:
        """The requests of a method, those from a user only if one is given, as they arrived, oldest first."""
        text = self._log.read_text("utf-8", "replace")
        found = re.findall(r"GOT (\w+) (\S+) FROM (\S+) (\S+) CONTACT .*? AUTH (\S+)\n(.*?)END\n", text, re.DOTALL)
        return [body for kind, _, source, _, auth, body in found if kind == method and user in (source, auth, "")]
