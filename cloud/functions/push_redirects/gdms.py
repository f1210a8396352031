"""Grandstream GDMS: a device by its MAC address and serial number, then a configuration that names its server.

Its API has two log-ins at once, that of a program and that of a person, and signs each request. An account writes them
as `<API id>/<user name>` and `<API secret>/<password>`. GDMS wants its token in the URL; nothing here logs one.
"""

import hashlib
import json
import re
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from cloud.functions.outgoing import Reply
from cloud.functions.push_redirects.older import CLAIMED
from cloud.functions.push_redirects.service import Line, Refusal, json_of, member

FORM: Final = "application/x-www-form-urlencoded"
_THERE: Final = re.compile(r"exist|added|bound", re.IGNORECASE)
_NOT_THERE: Final = re.compile(r"not[ _](?:exist|found)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"token", re.IGNORECASE)
_BOTH: Final = "GDMS has two log-ins: <API id>/<user name>, and <API secret>/<password>."


class GrandstreamGdms:
    """GDMS, version 1.0.0 of its API."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._base = line.log_in.api_url.rstrip("/")
        self._client_id, _, self._username = line.log_in.username.partition("/")
        self._client_secret, _, self._password = line.log_in.secret.get_secret_value().partition("/")

    def push(self, mac: str, url: str) -> None:
        """The device is added to the first site of the account, unless it is there, and told its server."""
        token = self._token()
        device = {
            "mac": _colons(mac),
            "sn": self._line.serial,
            "siteId": self._site(token),
            "deviceName": f"Tandem {mac}",
        }
        added, text = self._post(token, "/oapi/v1.0.0/device/add", [device])
        if not added and (not _THERE.search(text) or _NOT_THERE.search(text)):
            raise Refusal("refused", f"The service says: {text}")
        told, text = self._configure(token, mac, url)
        if not told:
            if not added:
                raise Refusal("claimed", CLAIMED)
            raise Refusal("refused", f"The service says: {text}")

    def withdraw(self, mac: str) -> None:
        done, text = self._post(self._token(), "/oapi/v1.0.0/device/delete", {"macList": [_colons(mac)]})
        if not done and not _NOT_THERE.search(text):
            raise Refusal("refused", f"The service says: {text}")

    def check(self) -> None:
        self._site(self._token())

    def _token(self) -> str:
        if not (self._username and self._password):
            raise Refusal("credentials", _BOTH)
        once = hashlib.md5(self._password.encode(), usedforsecurity=False).hexdigest()
        form = {
            "grant_type": "password",
            "username": self._username,
            "password": hashlib.sha256(once.encode()).hexdigest(),
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        headers = {"content-type": FORM, "accept": "application/json"}
        reply = self._line.ask("POST", f"{self._base}/oapi/oauth/token", headers, urlencode(form).encode())
        if reply.status in {400, 403}:
            raise Refusal("credentials", "The service does not accept the log-in.")
        answer = json_of(reply)
        if isinstance(answer, dict) and answer.get("error"):
            raise Refusal("credentials", "The service does not accept the log-in.")
        return member(answer, "access_token")

    def _site(self, token: str) -> int:
        """The first site that the account sees."""
        done, text, data = _outcome(self._ask(token, "GET", "/oapi/v1.0.0/site/list", {}, "", None))
        found = data.get("result") if isinstance(data, dict) else None
        if not done or not isinstance(found, list) or not found or not isinstance(found[0], dict):
            raise Refusal("refused", f"The service shows no site to add phones to: {text}")
        site = found[0].get("id")
        if not isinstance(site, int):
            raise Refusal("refused", "The service's answer has no id of a site.")
        return site

    def _post(self, token: str, path: str, body: Any) -> tuple[bool, str]:
        data = json.dumps(body, separators=(",", ":")).encode()
        done, text, _ = _outcome(self._ask(token, "POST", path, {}, hashlib.sha256(data).hexdigest(), data))
        return done, text

    def _configure(self, token: str, mac: str, url: str) -> tuple[bool, str]:
        """A configuration file of the device's own form that names its server and nothing else."""
        content = configuration(mac, url)
        boundary = self._line.nonce()
        parts = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="mac"\r\n\r\n{_colons(mac)}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="xml"; filename="{mac}.xml"\r\n'
            f"Content-Type: text/xml\r\n\r\n"
        )
        body = parts.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        signed = {"mac": _colons(mac), "xml": hashlib.md5(content, usedforsecurity=False).hexdigest()}
        kind = f"multipart/form-data; boundary={boundary}"
        done, text, _ = _outcome(self._ask(token, "POST", "/oapi/v1.0.0/device/config/xml", signed, "", body, kind))
        return done, text

    def _ask(
        self,
        token: str,
        method: str,
        path: str,
        signed: dict[str, str],
        digest: str,
        body: bytes | None,
        kind: str = "application/json",
    ) -> Reply:
        """One signed request: the SHA-256 of its parameters in their order, then of the body's where that is JSON."""
        sent = {"access_token": token, "timestamp": str(int(self._line.now().timestamp() * 1000))}
        secret = {"client_id": self._client_id, "client_secret": self._client_secret}
        pairs = "&".join(f"{name}={value}" for name, value in sorted((sent | secret | signed).items()))
        text = f"&{pairs}&" + (f"{digest}&" if digest else "")
        query = urlencode({**sent, "signature": hashlib.sha256(text.encode()).hexdigest()})
        headers = {"accept": "application/json", **({"content-type": kind} if body is not None else {})}
        return self._line.ask(method, f"{self._base}{path}?{query}", headers, body)


def configuration(mac: str, url: str) -> bytes:
    """What the device is told: how (`P212`: 1 HTTP, 2 HTTPS) and where (`P237`, without the scheme) it fetches."""
    parts = urlsplit(url)
    where = escape(f"{parts.netloc}{parts.path}".rstrip("/"))
    how = 2 if parts.scheme == "https" else 1
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gs_provision version="1">'
        f'<mac>{mac}</mac><config version="1"><P212>{how}</P212><P237>{where}</P237></config></gs_provision>\n'
    ).encode()


def _outcome(reply: Reply) -> tuple[bool, str, Any]:
    """Whether the service did it, what it says, and what it gives.

    Raises:
        Refusal: there is no such answer, or the token is not accepted.
    """
    answer = json_of(reply)
    if not isinstance(answer, dict) or "retCode" not in answer:
        raise Refusal("refused", f"The service answered {reply.status} with something unknown.")
    text = " ".join(str(answer.get("msg") or answer["retCode"]).split())[:200]
    done = answer["retCode"] == 0
    if not done and _TOKEN.search(text):
        raise Refusal("credentials", f"The service says: {text}")
    return done, text, answer.get("data")


def _colons(mac: str) -> str:
    upper = mac.upper()
    return ":".join(upper[place : place + 2] for place in range(0, 12, 2))
