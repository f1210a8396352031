"""Stand-ins for the vendors' redirect services, as their documentation describes them: they check every log-in."""

import base64
import hashlib
import hmac
import json
import re
import threading
import urllib.parse
import xmlrpc.client
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

USERNAME, PASSWORD = "dealer", "dealer's password"

Result = tuple[int, dict[str, str], bytes]


@dataclass
class StandIn(ABC):
    """One service on a port of the loopback interface."""

    port: int = 0
    phones: dict[str, str] = field(default_factory=dict)
    """MAC address as the service writes it → where it sends the phone."""
    others: set[str] = field(default_factory=set)
    """Phones of another account."""
    calls: list[str] = field(default_factory=list)
    """What was asked, in order."""
    instead: list[Result] = field(default_factory=list)
    """Answers to give in place of its own."""

    username = USERNAME
    secret = PASSWORD

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"http://{self.host}/api/v1/"

    @abstractmethod
    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Result:
        """What the service answers; `headers` by their names in lower case."""


class XmlRpcStandIn(StandIn):
    """Yealink RPS, Snom, Gigaset and Fanvil: methods of XML-RPC that answer [done, text]."""

    claimed = "Error:1a2b3c4d5e"
    absent = "Error:mac_not_exist"
    password = PASSWORD

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Result:
        token = base64.b64encode(f"{USERNAME}:{self.password}".encode()).decode()
        if headers.get("authorization") != f"Basic {token}":
            return 401, {"www-authenticate": "Basic"}, b""
        parameters, name = xmlrpc.client.loads(body)
        self.calls.append(str(name))
        done, text = self.do(str(name), list(parameters))
        return 200, {"content-type": "text/xml"}, xmlrpc.client.dumps(([done, text],), methodresponse=True).encode()

    def do(self, name: str, parameters: list[Any]) -> tuple[bool, str]:
        mac = str(parameters[0])
        if mac in self.others:
            return False, self.claimed
        if name in {"redirect.deRegisterDevice", "redirect.deregisterPhone", "autoprov.deregisterDevice"}:
            return (True, "ok") if self.phones.pop(mac, None) else (False, self.absent)
        if name == "redirect.registerDeviceWithUniqueUrl":
            _, _, url, override = parameters
            assert override == "1"
            self.phones[mac] = url
        elif name == "autoprov.registerDevice":
            if mac in self.phones:
                return False, "mac_already_in_use:"
            self.phones[mac] = parameters[1]
        elif name == "redirect.registerPhone":
            self.phones[mac] = parameters[1]
        else:
            return False, f"no method {name}"
        return True, "ok"


class GigasetStandIn(XmlRpcStandIn):
    claimed = "mac_already_in_use:someone"
    absent = "mac_not_found:it"


class SnomStandIn(XmlRpcStandIn):
    claimed = "Error:owned_by_other_user"


@dataclass
class FanvilStandIn(XmlRpcStandIn):
    """Servers have names; a phone is registered on one."""

    servers: dict[str, str] = field(default_factory=dict)
    claimed = "Error: device_had_existed"
    password = hashlib.md5(hashlib.md5(PASSWORD.encode()).hexdigest().encode()).hexdigest()

    def do(self, name: str, parameters: list[Any]) -> tuple[bool, str]:
        match name, parameters:
            case "redirect.deleteServer", [server]:
                return (True, "ok") if self.servers.pop(server, None) else (False, "Error:server_not_exist")
            case "redirect.addMaterialServer", [settings]:
                given = dict(one.split("=", 1) for one in settings)
                scheme = {"5": "https", "4": "http"}[given["cfgPfProt"]]
                if given["cfgName"] in self.servers:
                    return False, "Error:server_exist"
                self.servers[given["cfgName"]] = f"{scheme}://{given['cfgPfSrv']}/{given['cfgPfName']}"
                return True, "ok"
            case "redirect.registerDevice", [mac, server]:
                if mac in self.others:
                    return False, self.claimed
                self.phones[mac] = self.servers[server]
                return True, "ok"
            case "redirect.deRegisterDevice", [mac]:
                return (True, "ok") if self.phones.pop(mac, None) else (False, "Error: device_not_exist")
        return False, f"no method {name}"


class HawkStandIn(StandIn):
    """SRAPS and GRAPE: the setting's name tells them apart; settings come in pages."""

    setting = "setting_server"

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Result:
        if not self._is_signed(method, path, headers, body):
            return 401, {}, b'{"message": "Bad mac"}'
        self.calls.append(f"{method} {path}")
        if path == f"/api/v1/tokens/{USERNAME}":
            return _json({"links": {"company": f"http://{self.host}/api/v1/companies/7"}})
        if path == "/api/v1/companies/7":
            return _json({"links": {"endpoints": f"http://{self.host}/api/v1/companies/7/endpoints/"}})
        if path == "/api/v1/settings/?page_size=1000":
            status, found, content = _json([{"uuid": "u-1", "param_name": "language"}])
            return status, {**found, "link": f'<http://{self.host}/api/v1/settings/?page=2>; rel="next"'}, content
        if path == "/api/v1/settings/?page=2":
            return _json([{"uuid": "u-2", "param_name": self.setting}])
        mac = path.rpartition("/")[2]
        if not re.fullmatch("[0-9A-F]{12}", mac):
            return 404, {}, b"{}"
        if mac in self.others:
            return _json({"message": "taken_mac_or_forbidden"}, 403)
        if method == "DELETE":
            return (204, {}, b"") if self.phones.pop(mac, None) else (404, {}, b"{}")
        phone = json.loads(body)
        assert phone["mac"] == mac
        assert phone["autoprovisioning_enabled"] is True
        self.phones[mac] = phone["settings_manager"]["u-2"]["value"]
        return _json({})

    def _is_signed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bool:
        said = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("authorization", "")))
        kind = headers.get("content-type", "").encode()
        digest = hashlib.sha256(b"hawk.1.payload\n" + kind + b"\n" + body + b"\n").digest()
        payload = base64.b64encode(digest).decode()
        name, _, port = headers["host"].partition(":")
        signed = (
            f"hawk.1.header\n{said.get('ts')}\n{said.get('nonce')}\n{method}\n{path}\n{name}\n{port}\n{payload}\n\n"
        )
        mac = base64.b64encode(hmac.new(PASSWORD.encode(), signed.encode(), "sha256").digest()).decode()
        return said.get("id") == USERNAME and said.get("hash") == payload and said.get("mac") == mac


class GrapeStandIn(HawkStandIn):
    setting = "ProvisioningServer"


class YmcsStandIn(StandIn):
    """Yealink YMCS: a token first, then JSON."""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Result:
        assert headers["timestamp"].isdigit()
        assert len(headers["nonce"]) == 32
        given = json.loads(body)
        path = path.removeprefix("/api/v1")
        self.calls.append(path)
        if path == "/v2/token":
            token = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
            if headers["authorization"] != f"Basic {token}" or given != {"grant_type": "client_credentials"}:
                return 401, {}, b"{}"
            return _json({"access_token": "t-1", "token_type": "bearer", "expires_in": 86400})
        if headers["authorization"] != "Bearer t-1":
            return 401, {}, b"{}"
        if path == "/v2/rps/delDevices":
            assert given["deviceIdType"] == "mac"
            for mac in given["deviceIds"]:
                self.phones.pop(mac, None)
            return _json({"total": 1})
        if path == "/v2/rps/addDevicesByMac":
            (phone,) = given
            if phone["mac"] in self.others:
                wrong = [{"mac": phone["mac"], "errorInfo": "device already managed by another enterprise"}]
                return _json({"total": 1, "successCount": 0, "failureCount": 1, "errors": wrong})
            self.phones[phone["mac"]] = phone["uniqueServerUrl"]
            return _json({"total": 1, "successCount": 1, "failureCount": 0, "errors": []})
        return 404, {}, b"{}"


@dataclass
class GdmsStandIn(StandIn):
    """Grandstream GDMS: two log-ins at once, each request signed, a device by MAC address and serial number."""

    added: dict[str, str] = field(default_factory=dict)
    """MAC address → serial number."""
    username = f"api-1/{USERNAME}"
    secret = f"hush/{PASSWORD}"

    @property
    def api_url(self) -> str:
        return f"http://{self.host}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Result:
        where, _, query = path.partition("?")
        self.calls.append(where)
        if where == "/oapi/oauth/token":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            password = hashlib.sha256(hashlib.md5(PASSWORD.encode()).hexdigest().encode()).hexdigest()
            right = {"username": USERNAME, "password": password, "client_id": "api-1", "client_secret": "hush"}
            if form != {"grant_type": "password", **right}:
                return _json({"error": "invalid_grant"}, 400)
            return _json({"access_token": "t-1", "expires_in": 3600})
        asked = dict(urllib.parse.parse_qsl(query))
        signature = asked.pop("signature")
        assert "hush" not in path
        mac, file = "", b""
        signed = {**asked, "client_id": "api-1", "client_secret": "hush"}
        if headers.get("content-type", "").startswith("multipart/form-data"):
            boundary = headers["content-type"].partition("boundary=")[2].encode()
            mac_part, file_part = body.split(b"--" + boundary)[1:3]
            mac = mac_part.partition(b"\r\n\r\n")[2].decode().strip()
            file = file_part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            signed |= {"mac": mac, "xml": hashlib.md5(file).hexdigest()}
        text = "&" + "&".join(f"{name}={signed[name]}" for name in sorted(signed)) + "&"
        if body and not file:
            text += hashlib.sha256(body).hexdigest() + "&"
        if asked["access_token"] != "t-1" or hashlib.sha256(text.encode()).hexdigest() != signature:
            return _json({"retCode": 40002, "msg": "signature error"})
        return _json(self.do(where, json.loads(body) if body and not file else None, mac, file))

    def do(self, where: str, given: Any, mac: str, file: bytes) -> dict[str, Any]:
        good = {"retCode": 0, "msg": ""}
        match where, given:
            case "/oapi/v1.0.0/site/list", _:
                return {**good, "data": {"result": [{"id": 3345, "siteName": "Default"}]}}
            case "/oapi/v1.0.0/device/add", [device]:
                assert device["siteId"] == 3345
                assert device["sn"] == "SERIAL-1"
                plain = device["mac"].replace(":", "")
                if plain in self.others or device["mac"] in self.added:
                    return {"retCode": 10012, "msg": "The device already exists"}
                self.added[device["mac"]] = device["sn"]
                return good
            case "/oapi/v1.0.0/device/config/xml", None:
                if mac not in self.added:
                    return {"retCode": 10013, "msg": "The device does not exist"}
                found = {one.tag: one.text or "" for one in ElementTree.fromstring(file).iter()}
                assert found["mac"] == mac.replace(":", "").lower()
                scheme = {"2": "https", "1": "http"}[found["P212"]]
                self.phones[mac] = f"{scheme}://{found['P237']}/"
                return good
            case "/oapi/v1.0.0/device/delete", {"macList": [gone]}:
                self.phones.pop(gone, None)
                return good if self.added.pop(gone, None) else {"retCode": 10013, "msg": "The device does not exist"}
        return {"retCode": 404, "msg": "no such call"}


STAND_INS: dict[str, Callable[[], StandIn]] = {
    "yealink_rps": XmlRpcStandIn,
    "yealink_ymcs": YmcsStandIn,
    "snom_sraps": HawkStandIn,
    "snom_redirect": SnomStandIn,
    "gigaset_grape": GrapeStandIn,
    "gigaset_redirect": GigasetStandIn,
    "fanvil_fdps": FanvilStandIn,
    "grandstream_gdms": GdmsStandIn,
}


@contextmanager
def redirect_service(service: str) -> Iterator[StandIn]:
    """The stand-in of a service, answering."""
    stand_in = STAND_INS[service]()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, found, content = (
                stand_in.instead.pop(0) if stand_in.instead else stand_in.answer(self.command, self.path, headers, body)
            )
            self.send_response(status)
            for name, value in found.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def do_PUT(self) -> None:
            self._do()

        def do_DELETE(self) -> None:
            self._do()

        def log_message(self, *args: object) -> None:
            return  # keep quiet

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _json(value: Any, status: int = 200) -> Result:
    return status, {"content-type": "application/json"}, json.dumps(value).encode()
