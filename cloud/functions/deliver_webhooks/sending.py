"""Sends one signed message: to the address that was checked, within a time, reading a bounded answer."""

import http.client
import socket
import ssl
import threading
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from cloud.clock import Clock
from cloud.functions.deliver_webhooks.guard import AddressRefused, NameUnknown, Resolve, checked_address, resolve
from cloud.pbx.webhooks import RESPONSE_LENGTH, Outcome, Outgoing

USER_AGENT = "Tandem-Webhooks/1"
_READ_BYTES = 4 * RESPONSE_LENGTH


class Sender(Protocol):
    """Whoever brings a message to its receiver."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """One attempt; a failure is an outcome, not an exception."""
        ...


class HttpSender:
    """Sends by HTTPS.

    Args:
        private_allowed: private addresses and http will do (tests and labs).
        timeout_seconds: for the whole attempt, from connecting to the end of the answer.
        resolver: host names to addresses.
        tls: whom to trust; None means the system's authorities.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        private_allowed: bool = False,
        timeout_seconds: float = 15.0,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._private_allowed = private_allowed
        self._timeout = timeout_seconds
        self._resolver = resolver
        self._tls = tls or ssl.create_default_context()

    def send(self, outgoing: Outgoing) -> Outcome:
        parts = urlsplit(outgoing.url)
        secure = parts.scheme == "https"
        if not parts.hostname or not (secure or (parts.scheme == "http" and self._private_allowed)):
            return Outcome(None, error="The URL is not one that webhooks are sent to.")
        port = parts.port or (443 if secure else 80)
        try:
            address = checked_address(parts.hostname, port, self._resolver, private_allowed=self._private_allowed)
        except (AddressRefused, NameUnknown) as refused:
            return Outcome(None, error=str(refused))
        connection = _PinnedConnection(parts.hostname, port, address, self._timeout, self._tls if secure else None)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        expired = threading.Event()

        def give_up() -> None:
            expired.set()
            connection.abort()

        deadline = threading.Timer(self._timeout, give_up)
        deadline.daemon = True
        deadline.start()
        try:
            connection.request("POST", path, outgoing.body.encode(), self._headers(outgoing))
            return self._outcome(connection.getresponse())
        except (OSError, http.client.HTTPException) as problem:
            if expired.is_set() or isinstance(problem, TimeoutError):
                return Outcome(None, error=f"No answer within {self._timeout:g} seconds.")
            return Outcome(None, error=f"The connection failed: {type(problem).__name__}.")
        finally:
            deadline.cancel()
            connection.close()

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        at = self._clock.now()
        signature = Webhook(outgoing.secret.get_secret_value()).sign(outgoing.message_id, at, outgoing.body)
        return {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": outgoing.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
            "connection": "close",
        }

    def _outcome(self, response: http.client.HTTPResponse) -> Outcome:
        text = response.read(_READ_BYTES).decode(errors="replace")[:RESPONSE_LENGTH]
        retry_after = parse_retry_after(response.getheader("retry-after") or "", self._clock.now())
        return Outcome(response.status, text=text, retry_after_seconds=retry_after)


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110 §10.2.3): a number or a date; None for anything else."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - now).total_seconds())


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
