"""The REST services: Snom SRAPS and Gigaset GRAPE (one protocol, signed by Hawk), and Yealink YMCS (OAuth 2.0)."""

import base64
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

from cloud.functions.outgoing import Reply
from cloud.functions.push_redirects.hawk import authorization
from cloud.functions.push_redirects.older import CLAIMED
from cloud.functions.push_redirects.service import Line, Refusal, json_of, member, text_of

JSON: Final = "application/json"
MAX_PAGES: Final = 20
_CLAIMED_BY_HAWK: Final = ("taken_mac_or_forbidden", "lacks permission to endpoint")
_CLAIMED_BY_YMCS: Final = ("800003", "800004", "already managed", "already exists")


class HawkRest:
    """SRAPS and GRAPE.

    Args:
        setting: what the setting of the provisioning server is called.
    """

    def __init__(self, line: Line, setting: str) -> None:
        self._line = line
        self._setting = setting
        self._base = line.log_in.api_url.rstrip("/") + "/"

    def push(self, mac: str, url: str) -> None:
        phone = self._phone(mac)
        body = {
            "mac": mac.upper(),
            "autoprovisioning_enabled": True,
            "settings_manager": {self._setting_id(): {"value": url, "attrs": {"perm": "RW"}}},
        }
        self._changed(self._ask("PUT", phone, body))

    def withdraw(self, mac: str) -> None:
        reply = self._ask("DELETE", self._phone(mac))
        if reply.status != 404:
            self._changed(reply)

    def check(self) -> None:
        self._endpoints()

    def _phone(self, mac: str) -> str:
        return f"{self._endpoints().rstrip('/')}/{mac.upper()}"

    def _endpoints(self) -> str:
        """Where the account's phones are: by its key, then by its company."""
        key = self._json(self._base + f"tokens/{quote(self._line.log_in.username, safe='')}")
        company = self._json(self._ours(member(key, "links", "company")))
        return self._ours(member(company, "links", "endpoints"))

    def _setting_id(self) -> str:
        for page in self._pages(self._base + "settings/?page_size=1000"):
            for one in page if isinstance(page, list) else []:
                if isinstance(one, dict) and one.get("param_name") == self._setting:
                    return member(one, "uuid")
        raise Refusal("refused", f"The service knows no setting {self._setting}.")

    def _pages(self, url: str) -> Iterator[Any]:
        for _ in range(MAX_PAGES):
            reply = self._ask("GET", url)
            self._changed(reply)
            yield json_of(reply)
            following = _next_link(reply.headers.get("link", ""))
            if following is None:
                return
            url = self._ours(following)

    def _ours(self, link: str) -> str:
        """A link of the service's answers, which may lead to itself only."""
        try:
            url = urljoin(self._base, link)
            own = urlsplit(url)[:2] == urlsplit(self._base)[:2]
        except ValueError:
            own = False
        if not own or not url.isascii() or any(character <= " " for character in url):
            raise Refusal("refused", "The service's answer leads to another host.")
        return url

    def _json(self, url: str) -> Any:
        reply = self._ask("GET", url)
        self._changed(reply)
        return json_of(reply)

    def _ask(self, method: str, url: str, body: Any = None) -> Reply:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        log_in = self._line.log_in
        signature = authorization(
            method,
            url,
            data,
            JSON,
            key_id=log_in.username,
            key=log_in.secret.get_secret_value(),
            timestamp=int(self._line.now().timestamp()),
            nonce=self._line.nonce(),
        )
        headers = {"authorization": signature, "accept": JSON, **({"content-type": JSON} if data else {})}
        return self._line.ask(method, url, headers, data)

    @staticmethod
    def _changed(reply: Reply) -> None:
        if 200 <= reply.status < 300:
            return
        text = text_of(reply)
        if any(mark in text.lower() for mark in _CLAIMED_BY_HAWK):
            raise Refusal("claimed", CLAIMED)
        if reply.status == 403:
            raise Refusal("credentials", "The service does not let this key do that.")
        raise Refusal("refused", f"The service answered {reply.status}: {text}")


class YealinkYmcs:
    """Yealink's Management Cloud Service, version 4: its RPS part. Yealink has to allow adding phones by MAC alone."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._base = line.log_in.api_url.rstrip("/")

    def push(self, mac: str, url: str) -> None:
        """An older entry of ours is taken away first: the service refuses a phone that it has already."""
        token = self._token()
        self._post(token, "/v2/rps/delDevices", {"deviceIdType": "mac", "deviceIds": [mac]})
        answer = self._post(token, "/v2/rps/addDevicesByMac", [{"mac": mac, "uniqueServerUrl": url}])
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            self._refuse(json.dumps(errors)[:200])

    def withdraw(self, mac: str) -> None:
        self._post(self._token(), "/v2/rps/delDevices", {"deviceIdType": "mac", "deviceIds": [mac]})

    def check(self) -> None:
        self._token()

    def _token(self) -> str:
        log_in = self._line.log_in
        basic = base64.b64encode(f"{log_in.username}:{log_in.secret.get_secret_value()}".encode()).decode()
        reply = self._ask("/v2/token", f"Basic {basic}", {"grant_type": "client_credentials"})
        if reply.status in {400, 403}:
            raise Refusal("credentials", "The service does not accept the log-in.")
        return member(self._accepted(reply), "access_token")

    def _post(self, token: str, path: str, body: Any) -> Any:
        return self._accepted(self._ask(path, f"Bearer {token}", body))

    def _ask(self, path: str, credentials: str, body: Any) -> Reply:
        headers = {
            "authorization": credentials,
            "content-type": JSON,
            "accept": JSON,
            "timestamp": str(int(self._line.now().timestamp() * 1000)),
            "nonce": self._line.nonce(),
        }
        return self._line.ask("POST", self._base + path, headers, json.dumps(body).encode())

    def _accepted(self, reply: Reply) -> Any:
        if 200 <= reply.status < 300:
            return json_of(reply)
        return self._refuse(f"{reply.status} {text_of(reply)}")

    @staticmethod
    def _refuse(text: str) -> Any:
        if any(mark in text.lower() for mark in _CLAIMED_BY_YMCS):
            raise Refusal("claimed", CLAIMED)
        raise Refusal("refused", f"The service says: {text}")


def _next_link(header: str) -> str | None:
    """The target of `rel="next"` in a Link header (RFC 8288), if there is one."""
    for part in header.split(","):
        target, _, parameters = part.strip().partition(";")
        if 'rel="next"' in parameters.replace(" ", "") and target.startswith("<") and target.endswith(">"):
            return target[1:-1]
    return None
