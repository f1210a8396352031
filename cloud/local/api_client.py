"""A small client of the REST API, for the demo and the tests: log in, then say method and path."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


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


class ApiClient:
    """Speaks JSON with the API at `url`.

    Args:
        url: scheme, host and port.
        timeout: seconds that one request may take.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._token: str | None = None

    def log_in(self, email: str, password: str) -> None:
        """Use this account from here on."""
        answer = self.request("POST", "/sessions", {"email": email, "password": password})
        self._token = answer.body["access_token"]

    def request(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> ApiAnswer:
        """One request.

        Raises:
            ApiRefused: the answer is 400 or above.
            OSError: the API was not reached.
        """
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310  http or https, from settings
        request.add_header("Accept", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
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
        request = urllib.request.Request(f"{self.url}{path}")  # noqa: S310  http or https, from settings
        request.add_header("Accept", "application/octet-stream")
        request.add_header("Authorization", f"Bearer {self._token}")
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
