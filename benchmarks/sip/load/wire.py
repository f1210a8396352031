"""How the generator's phones reach the server: a UDP socket for many, or a TCP or TLS connection for one."""

import socket
import ssl
from typing import Final, Protocol

_BUFFER: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 64


class ConnectionEnded(Exception):
    """The server closed a connection."""


class Wire(Protocol):
    """What phones send and receive by."""

    host: str
    port: int

    def fileno(self) -> int:
        """For epoll."""
        ...

    def send(self, message: bytes) -> None:
        """Send one message."""
        ...

    def receive(self) -> list[bytes]:
        """Every whole message that is there now.

        Raises:
            ConnectionEnded: nothing will come any more.
        """
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class UdpWire:
    """A connected UDP socket."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.connect((host, port))
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()

    def fileno(self) -> int:
        """See `Wire`."""
        return self._socket.fileno()

    def send(self, message: bytes) -> None:
        """See `Wire`."""
        self._socket.send(message)

    def receive(self) -> list[bytes]:
        """See `Wire`."""
        found: list[bytes] = []
        receive = self._socket.recv
        try:
            while len(found) < _AT_ONCE:
                found.append(receive(65_535))
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        """See `Wire`."""
        self._socket.close()


class StreamWire:
    """A TCP connection, with TLS when `tls` is given."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        plain = socket.create_connection((host, port), 10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain if tls is None else tls.wrap_socket(plain)
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()[:2]
        self._framer = Framer()

    def fileno(self) -> int:
        """See `Wire`."""
        return self._socket.fileno()

    def send(self, message: bytes) -> None:
        """See `Wire`; one call at a time on a connection never fills its buffer."""
        self._socket.sendall(message)

    def receive(self) -> list[bytes]:
        """See `Wire`."""
        found: list[bytes] = []
        try:
            while True:
                data = self._socket.recv(65_536)
                if not data:
                    raise ConnectionEnded
                found += self._framer.feed(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return found

    def close(self) -> None:
        """See `Wire`."""
        self._socket.close()


class Framer:
    """Takes a stream apart into messages by Content-Length (RFC 3261 §18.3); blank lines before them are skipped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now."""
        rest = self._rest + data
        found = []
        while True:
            rest = rest.lstrip(b"\r\n")
            end = rest.find(b"\r\n\r\n")
            if end < 0:
                break
            at = rest.index(b"\r\nContent-Length:", 0, end + 2) + 17
            whole = end + 4 + int(rest[at : rest.index(b"\r\n", at)])
            if len(rest) < whole:
                break
            found.append(rest[:whole])
            rest = rest[whole:]
        self._rest = rest
        return found


def any_server() -> ssl.SSLContext:
    """TLS 1.3 towards a server whose certificate is its own; the loopback of a benchmark has no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
