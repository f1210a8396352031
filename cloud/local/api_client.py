"""A small client of the REST API, for the demo and the tests: log in, then say method and path."""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from cloud.clock import Clock, SystemClock

_SPARE_SECONDS: Final = 60.0
"""An access token is carried on this long before its end, so that no request arrives after it."""


class ApiRefused(Exception):
    """The API answered with a problem; `status` and `problem` are what it said."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            f"{status} {problem.get('title', '')}: {problem.get('detail', '')} {problem.get('problems', '')}"
        )
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """Status, headers and decoded body of one answer."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class _LogIn:
    access_token: str
    refresh_token: str
    good_until: float


class ApiClient:
    """Speaks JSON with the API at `url`, and stays logged in for as long as it is used.

    Args:
        url: scheme, host and port.
        timeout: seconds that one request may take.
        clock: tells when a log-in has to be carried on.
    """

    def __init__(self, url: str, timeout: float = 30.0, clock: Clock | None = None) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._session: _LogIn | None = None
        self._carrying_on = threading.Lock()

    def log_in(self, email: str, password: str) -> None:
        """Use this account from here on."""
        self._begin("/sessions", {"email": email, "password": password})

    def _begin(self, path: str, body: object) -> None:
        began = self._clock.monotonic()
        answer = self._send("POST", path, body).body
        self._session = _LogIn(answer["access_token"], answer["refresh_token"], began + answer["expires_in"])

    def _carry_on(self) -> None:
        with self._carrying_on:  # a refresh token is good for one use
            if self._session and self._clock.monotonic() > self._session.good_until - _SPARE_SECONDS:
                self._begin("/sessions/refresh", {"refresh_token": self._session.refresh_token})

    def request(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> ApiAnswer:
        """One request.

        Raises:
            ApiRefused: the answer is 400 or above.
            OSError: the API was not reached.
        """
        self._carry_on()
        return self._send(method, path, body, headers)

    def _send(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> ApiAnswer:
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310  http or https, from settings
        request.add_header("Accept", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self._session:
            request.add_header("Authorization", f"Bearer {self._session.access_token}")
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=self._timeout) as response:  # noqa: S310  as above
                text = response.read()
                return ApiAnswer(response.status, dict(response.headers), json.loads(text) if text else None)
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code == 304:
                return ApiAnswer(304, dict(error.headers), None)
            try:
                problem = json.loads(text)
            except json.JSONDecodeError:
                problem = {"title": text[:200].decode("utf-8", "replace")}
            raise ApiRefused(error.code, problem) from None

    def get(self, path: str) -> Any:
        """The body of a GET."""
        return self.request("GET", path).body

    def post(self, path: str, body: object = None) -> Any:
        """The body of the answer to a POST."""
        return self.request("POST", path, body).body

    def put(self, path: str, body: object) -> Any:
        """The body of the answer to a PUT."""
        return self.request("PUT", path, body).body

    def patch(self, path: str, body: object) -> Any:
        """The body of the answer to a PATCH."""
        return self.request("PATCH", path, body).body

    def delete(self, path: str) -> None:
        """A DELETE."""
        self.request("DELETE", path)

    def fetch(self, path: str) -> bytes:
        """A file.

        Raises:
            OSError: the API was not reached, or refused.
        """
        self._carry_on()
        request = urllib.request.Request(f"{self.url}{path}")  # noqa: S310  http or https, from settings
        request.add_header("Accept", "application/octet-stream")
        if self._session:
            request.add_header("Authorization", f"Bearer {self._session.access_token}")
        with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310  as above
            content: bytes = response.read()
            return content

    def items(self, path: str) -> list[Any]:
        """Every item of a collection, page by page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            joint = "&" if "?" in path else "?"
            page = self.get(f"{path}{joint}limit=200" + (f"&cursor={cursor}" if cursor else ""))
            found.extend(page["items"])
            cursor = page.get("next")
            if not cursor:
                return found
