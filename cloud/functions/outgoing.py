"""Requests to hosts that a tenant names: to the address that was checked, within a time, reading a bounded answer."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cloud.errors import CloudError
from cloud.functions.guard import AddressRefused, NameUnknown, Resolve, checked_address, resolve


class NoReply(CloudError):
    """No answer came; the text says why, and nothing of what was asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class GuardedClient:
    """Asks one thing of one host; redirections are answers like others.

    Args:
        private_allowed: private addresses and http will do (tests and labs).
        timeout_seconds: for the whole request, from connecting to the end of the answer.
        max_bytes: how much of an answer is read.
        resolver: host names to addresses.
        tls: whom to trust; None means the system's authorities.
    """

    def __init__(
        self,
        *,
        private_allowed: bool = False,
        timeout_seconds: float = 15.0,
        max_bytes: int = 4000,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._private_allowed = private_allowed
        self.timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._tls = tls or ssl.create_default_context()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One request and its answer.

        Raises:
            NoReply: the address is refused, or no answer came in time.
        """
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        if not parts.hostname or not (secure or (parts.scheme == "http" and self._private_allowed)):
            raise NoReply("The URL is not one that requests are sent to.")
        port = parts.port or (443 if secure else 80)
        try:
            address = checked_address(parts.hostname, port, self._resolver, private_allowed=self._private_allowed)
        except (AddressRefused, NameUnknown) as refused:
            raise NoReply(str(refused)) from refused
        connection = _PinnedConnection(
            parts.hostname, port, address, self.timeout_seconds, self._tls if secure else None
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        expired = threading.Event()

        def give_up() -> None:
            expired.set()
            connection.abort()

        deadline = threading.Timer(self.timeout_seconds, give_up)
        deadline.daemon = True
        deadline.start()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, response.read(self._max_bytes))
        except (OSError, http.client.HTTPException) as problem:
            if expired.is_set() or isinstance(problem, TimeoutError):
                raise NoReply(f"No answer within {self.timeout_seconds:g} seconds.") from problem
            raise NoReply(f"The connection failed: {type(problem).__name__}.") from problem
        finally:
            deadline.cancel()
            connection.close()


class _PinnedConnection(http.client.HTTPConnection):
    """Connects to one address, whatever the name means by now; Host and SNI say the name."""

    def __init__(self, host: str, port: int, address: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address
        self._context = tls
        self.default_port = 443 if tls is not None else 80  # left out of the Host header

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def abort(self) -> None:
        """End it from another thread: whoever waits for the peer gets an error at once."""
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself
