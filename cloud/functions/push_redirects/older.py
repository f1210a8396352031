"""The XML-RPC services: Yealink RPS, Snom, Gigaset and Fanvil, each with its method names and its texts of refusal."""

import base64
import hashlib
import re
from typing import Final
from urllib.parse import urlsplit

from cloud.functions.push_redirects.service import CHECKED_MAC, Line, Refusal
from cloud.functions.push_redirects.xml_rpc import NoAnswer, decode_answer, encode_call

CLAIMED: Final = "Another account of this service has the phone; its owner has to release it there."
_CLAIMED: Final = re.compile(
    r"owned_by_other_user|mac_already_in_use|device_had_existed|^Error:\s?[a-z0-9]{10}\b", re.IGNORECASE
)
_NOT_THERE: Final = re.compile(
    r"not[ _]exist|not[ _]found|not[ _]registered|unregistered|unknown[ _]mac", re.IGNORECASE
)
_PROTOCOLS: Final = {"ftp": "1", "tftp": "2", "http": "4", "https": "5"}
"""Fanvil's numbers."""


class XmlRpc:
    """Calls one such service with HTTP Basic authentication (RFC 7617).

    Args:
        password: as the service wants it in the header; None: the account's own.
    """

    def __init__(self, line: Line, password: str | None = None) -> None:
        self._line = line
        secret = line.log_in.secret.get_secret_value() if password is None else password
        token = base64.b64encode(f"{line.log_in.username}:{secret}".encode()).decode()
        self._headers = {"authorization": f"Basic {token}", "content-type": "text/xml"}

    def call(self, method: str, *parameters: str | list[str], absent_is_good: bool = False) -> None:
        """One call.

        Args:
            absent_is_good: that the service does not know the thing is no problem.

        Raises:
            Refusal: the service did not do it.
        """
        done, text = self.ask(method, *parameters)
        if done or (absent_is_good and _NOT_THERE.search(text)):
            return
        if _CLAIMED.search(text):
            raise Refusal("claimed", CLAIMED)
        raise Refusal("refused", f"The service says: {text[:200]}")

    def ask(self, method: str, *parameters: str | list[str]) -> tuple[bool, str]:
        """One call, and what the service says of it, be it yes or no: whoever is answered is logged in.

        Raises:
            Refusal: there is no such answer.
        """
        body = encode_call(method, parameters)
        reply = self._line.ask("POST", self._line.log_in.api_url, self._headers, body)
        if reply.status == 403:
            raise Refusal("credentials", "The service does not let this account do that.")
        if reply.status != 200:
            raise Refusal("refused", f"The service answered {reply.status}.")
        try:
            return decode_answer(reply.body)
        except NoAnswer as problem:
            raise Refusal("refused", str(problem)) from problem


class YealinkRps:
    """Yealink's XML API for RPS, version 1.6."""

    def __init__(self, line: Line) -> None:
        self._rpc = XmlRpc(line)

    def push(self, mac: str, url: str) -> None:
        """The name of the server is the phone's own, so that no two share one; `1`: an older entry is replaced."""
        self._rpc.call("redirect.registerDeviceWithUniqueUrl", _hyphens(mac), mac, url, "1")

    def withdraw(self, mac: str) -> None:
        self._rpc.call("redirect.deRegisterDevice", _hyphens(mac), absent_is_good=True)

    def check(self) -> None:
        self._rpc.ask("redirect.deRegisterDevice", _hyphens(CHECKED_MAC))


class SnomRedirect:
    """Snom's redirection service by XML-RPC."""

    def __init__(self, line: Line) -> None:
        self._rpc = XmlRpc(line)

    def push(self, mac: str, url: str) -> None:
        self._rpc.call("redirect.registerPhone", mac.upper(), url)

    def withdraw(self, mac: str) -> None:
        self._rpc.call("redirect.deregisterPhone", mac.upper(), absent_is_good=True)

    def check(self) -> None:
        self._rpc.ask("redirect.deregisterPhone", CHECKED_MAC)


class GigasetRedirect:
    """Gigaset's older redirect server, for accounts that need no check digits of the MAC address."""

    def __init__(self, line: Line) -> None:
        self._rpc = XmlRpc(line)

    def push(self, mac: str, url: str) -> None:
        """A phone is registered once: an older entry of ours is taken away first."""
        self._rpc.call("autoprov.deregisterDevice", mac.upper(), absent_is_good=True)
        self._rpc.call("autoprov.registerDevice", mac.upper(), url, "Tandem")

    def withdraw(self, mac: str) -> None:
        self._rpc.call("autoprov.deregisterDevice", mac.upper(), absent_is_good=True)

    def check(self) -> None:
        self._rpc.ask("autoprov.deregisterDevice", CHECKED_MAC)


class FanvilFdps:
    """Fanvil's FDPS: a server entry of its own for each phone, then the phone on it.

    The password travels as the MD5 of its MD5, in hexadecimal.
    """

    def __init__(self, line: Line) -> None:
        clear = line.log_in.secret.get_secret_value().encode()
        once = hashlib.md5(clear, usedforsecurity=False).hexdigest()
        self._rpc = XmlRpc(line, hashlib.md5(once.encode(), usedforsecurity=False).hexdigest())

    def push(self, mac: str, url: str) -> None:
        name = _hyphens(mac)
        parts = urlsplit(url)
        self.withdraw(mac)
        configuration = [
            f"cfgName={name}",
            "cfgPfMode=1",
            "cfgDhcpOpt=false",
            "cfgPnpEnable=false",
            f"cfgPfSrv={parts.netloc}",
            f"cfgPfName={parts.path.removeprefix('/')}",
            f"cfgPfProt={_PROTOCOLS.get(parts.scheme, '5')}",
        ]
        self._rpc.call("redirect.addMaterialServer", configuration)
        self._rpc.call("redirect.registerDevice", name, name)

    def withdraw(self, mac: str) -> None:
        self._rpc.call("redirect.deRegisterDevice", _hyphens(mac), absent_is_good=True)
        self._rpc.call("redirect.deleteServer", _hyphens(mac), absent_is_good=True)

    def check(self) -> None:
        self._rpc.ask("redirect.deleteServer", _hyphens(CHECKED_MAC))


def _hyphens(mac: str) -> str:
    upper = mac.upper()
    return "-".join(upper[place : place + 2] for place in range(0, 12, 2))
