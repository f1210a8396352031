"""Connections for HTTP; every size, number and wait is bounded.

A request as nearly every phone sends it is read from its socket, answered and written at once: a thousand phones that
boot together each cost a fraction of a millisecond. Whatever is not as plain (uploads, odd heads, clients that
take their answer slowly, TLS) is h11's, in a task of its own.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
from collections import Counter
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

import h11

from edge_agent.clock import Clock
from edge_agent.provisioning.serve.http.answer import (
    UPLOADS,
    HttpRequest,
    HttpResponse,
    Service,
    StoredPart,
    error_response,
    needs_disk,
    respond,
)
from edge_agent.provisioning.serve.http.plain import PlainRequest, response_bytes
from edge_agent.provisioning.serve.http.quick import READ_BYTES, Begun, Closed, QuickConnections
from edge_agent.provisioning.serve.http.tls import PhoneTls, mac_in
from edge_agent.provisioning.uploads import MAX_UPLOAD_BYTES

logger: Final = logging.getLogger(__name__)

_BACKLOG: Final = 1024
STORED_PIECE_BYTES: Final = 128 * 1024
"""Of a file on the disk, read and sent at once for one client."""
_ACCEPT_PAUSE_SECONDS: Final = 0.1
"""After a connection could not be taken, such as for want of file descriptors."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a client may ask of the server."""

    connections: int = 2000
    """At one time; more wait until there is room."""
    connections_per_address: int = 16
    """At one time; more are closed."""
    head_bytes: int = 8192
    """Request line and headers together."""
    head_seconds: float = 10.0
    """From the first wait for a request to the end of its head."""
    write_seconds: float = 30.0
    """For a response to be taken by the client."""
    requests_per_connection: int = 100
    handshake_seconds: float = 10.0
    body_bytes: int = MAX_UPLOAD_BYTES
    """Of an upload."""
    body_seconds: float = 60.0


class HttpServer:
    """Serves a desk's files on one address.

    Args:
        files: which file a request gets, and where uploads go.
        clock: for the `Date` header.
        limits: what a client may ask.
        tls: the server speaks HTTPS with it; None: HTTP.
    """

    def __init__(
        self, files: Service, clock: Clock, limits: HttpLimits | None = None, tls: PhoneTls | None = None
    ) -> None:
        self._files = files
        self._clock = clock
        self._tls = tls
        self._limits = limits or HttpLimits()
        self._room = asyncio.Semaphore(self._limits.connections)
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._quick = QuickConnections(self._answer, self._limits.head_seconds, self._slow, self._let_go)
        self._written_date = (0, "")
        self._connections: set[asyncio.Task[None]] = set()
        self._unserved: set[socket.socket] = set()
        """Sockets that no transport owns yet, and so closes."""
        self._by_address: Counter[str] = Counter()
        self.closed: Counter[Closed] = Counter()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that is bound (0 asks for a free one).

        Raises:
            OSError: the port cannot be bound.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        listening.setblocking(False)
        self._listening = listening
        self._accepting = asyncio.get_running_loop().create_task(self._accept(listening))
        bound: int = listening.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port and every connection."""
        tasks = list(self._connections)
        if self._accepting is not None:
            tasks.append(self._accepting)
            self._accepting = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._quick.close()
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def _accept(self, listening: socket.socket) -> None:
        """Take connections while there is room; the others wait in the system's queue instead of being refused."""
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                accepted, peer = await loop.sock_accept(listening)
            except OSError as error:
                self._room.release()
                logger.warning("http_accept_failed", extra={"error": error.strerror})
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), _ACCEPT_PAUSE_SECONDS)
                continue
            except asyncio.CancelledError:
                self._room.release()
                raise
            self._accepted(accepted, str(peer[0]))

    def _accepted(self, accepted: socket.socket, address: str) -> None:
        if self._by_address[address] >= self._limits.connections_per_address:
            self.closed[Closed.TOO_MANY_CONNECTIONS] += 1
            accepted.close()
            self._room.release()
            return
        self._by_address[address] += 1
        if self._tls is None:
            self._quick.take(accepted, address)
        else:
            self._slow(accepted, address, Begun())

    def _slow(self, accepted: socket.socket, address: str, begun: Begun) -> None:
        """Serve a connection in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._serve(accepted, address, begun))
        self._connections.add(task)
        self._unserved.add(accepted)
        task.add_done_callback(lambda done: self._left(done, accepted, address))

    def _left(self, task: asyncio.Task[None], accepted: socket.socket, address: str) -> None:
        self._connections.discard(task)
        if accepted in self._unserved:
            self._unserved.remove(accepted)
            accepted.close()
        self._forget(address)

    def _let_go(self, address: str, why: Closed) -> None:
        """A connection that never needed a task is closed."""
        self.closed[why] += 1
        self._forget(address)

    def _forget(self, address: str) -> None:
        self._room.release()
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]

    def _answer(self, plain: PlainRequest, address: str, served: int) -> tuple[bytes, bool] | None:
        """The response to a plain request, and whether it is the connection's last; None: it may come from the disk."""
        if needs_disk(plain.target, self._files.desk):
            return None
        last = plain.last or self._is_last(served)
        request = HttpRequest(plain.method, plain.target, address, plain.headers)
        response = respond(request, self._files, self._clock.now().timestamp())
        return response_bytes(response, self._date(), close=last), last

    def _is_last(self, served: int) -> bool:
        # While others wait or soon will, nobody keeps a connection for later.
        crowded = 2 * (len(self._connections) + len(self._quick)) > self._limits.connections
        return crowded or served >= self._limits.requests_per_connection

    async def _serve(self, accepted: socket.socket, address: str, begun: Begun) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=READ_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        now = self._clock.monotonic()
        try:
            if self._tls is None:
                transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted)
            else:
                transport, _ = await loop.connect_accepted_socket(
                    lambda: protocol,
                    accepted,
                    ssl=self._tls.context(address, now),
                    ssl_handshake_timeout=self._limits.handshake_seconds,
                )
        except ssl.SSLCertVerificationError:
            self.closed[Closed.UNKNOWN_AUTHORITY] += 1
            if self._tls is not None:
                self._tls.not_ours(address, now)
            return
        except (ssl.SSLError, TimeoutError):
            self.closed[Closed.NO_HANDSHAKE] += 1
            return
        except OSError:
            self.closed[Closed.NO_HANDSHAKE if self._tls is not None else Closed.LOST] += 1
            return
        self._unserved.discard(accepted)
        client = _Client(address, self._tls is not None, mac_in(transport.get_extra_info("peercert")))
        if begun.received:
            reader.feed_data(begun.received)
        await self._converse(reader, asyncio.StreamWriter(transport, protocol, reader, loop), client, begun)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: "_Client", begun: Begun
    ) -> None:
        connection = _Connection(reader, writer, self._limits, self._files.uploads is not None)
        why = Closed.DONE
        try:
            await connection.go_on(begun.unsent)
            for served in range(begun.served + 1, 1 if begun.last else self._limits.requests_per_connection + 1):
                request = await connection.request(client)
                if request is None:
                    break
                last = self._is_last(served)
                response = respond(request, self._files, self._clock.now().timestamp())
                goes_on = await connection.send(response, self._date(), close=last)
                if response.stored is not None and response.stored.part.stop == response.stored.file.size_bytes:
                    self._files.desk.sent(response.stored.file)
                if not goes_on:
                    break
        except _BodyTooLarge:
            why = Closed.BODY_TOO_LARGE
            with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
                await connection.refuse(error_response(413, "Content Too Large"), self._date())
        except TimeoutError:
            why = Closed.TOO_SLOW
        except h11.RemoteProtocolError as error:
            why = Closed.HEAD_TOO_LARGE if error.error_status_hint == 431 else Closed.BAD_REQUEST
            reason = "Request Header Fields Too Large" if error.error_status_hint == 431 else "Bad Request"
            with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
                await connection.refuse(error_response(error.error_status_hint, reason), self._date())
        except OSError:
            why = Closed.LOST
        finally:
            self.closed[why] += 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    def _date(self) -> str:
        now = self._clock.now()
        second = int(now.timestamp())
        if second != self._written_date[0]:
            self._written_date = (second, format_datetime(now, usegmt=True))
        return self._written_date[1]


class _BodyTooLarge(Exception):
    """An upload that is larger than is taken."""


@dataclass(frozen=True, slots=True)
class _Client:
    """Who is at the other end of a connection."""

    address: str
    secure: bool = False
    certificate_of: str = ""


class _Connection:
    """One client's connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: HttpLimits, takes_uploads: bool
    ) -> None:
        self._takes_uploads = takes_uploads
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)

    async def go_on(self, unsent: bytes) -> None:
        """Send the rest of what a client did not take at once."""
        if unsent:
            self._writer.write(unsent)
            await self._drained()

    async def request(self, client: _Client) -> HttpRequest | None:
        """The next request; None when the client has no more."""
        async with asyncio.timeout(self._limits.head_seconds):
            while True:
                event = self._h11.next_event()
                match event:
                    case h11.NEED_DATA:
                        self._h11.receive_data(await self._reader.read(READ_BYTES))
                    case h11.Request():
                        break
                    case _:
                        return None
        upload = self._takes_uploads and event.method.decode("ascii", "replace") in UPLOADS
        body = await self._body() if upload else b""
        return _request(event, client, body)

    async def _body(self) -> bytes:
        """The body of an upload.

        Raises:
            _BodyTooLarge: it is larger than is taken.
        """
        if self._h11.they_are_waiting_for_100_continue:
            self._writer.write(self._h11.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        parts, size = [], 0
        async with asyncio.timeout(self._limits.body_seconds):
            while True:
                event = self._h11.next_event()
                match event:
                    case h11.NEED_DATA:
                        self._h11.receive_data(await self._reader.read(READ_BYTES))
                    case h11.Data():
                        size += len(event.data)
                        if size > self._limits.body_bytes:
                            raise _BodyTooLarge
                        parts.append(bytes(event.data))
                    case _:
                        return b"".join(parts)

    async def send(self, response: HttpResponse, date: str, close: bool) -> bool:
        """Send a response; whether the connection can serve another request."""
        # A body that came with the request is not read: the connection ends instead.
        close = close or not self._body_is_empty()
        if response.stored is None:
            self._write(response, date, close)
            await self._drained()
        else:
            await self._write_stored(response, response.stored, date, close)
        if close or self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def refuse(self, response: HttpResponse, date: str) -> None:
        """Send a response to what was no request, if nothing was sent yet."""
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._write(response, date, close=True)
            await self._drained()

    def _body_is_empty(self) -> bool:
        return self._h11.their_state in (h11.DONE, h11.MUST_CLOSE) or isinstance(
            self._h11.next_event(), h11.EndOfMessage
        )

    def _head(self, response: HttpResponse, date: str, close: bool) -> bytes:
        headers = [*response.headers, ("date", date)]
        if response.status != 304:
            headers.append(("content-length", str(response.body_length)))
        if close:
            headers.append(("connection", "close"))
        reason = HTTPStatus(response.status).phrase
        return self._h11.send(h11.Response(status_code=response.status, headers=headers, reason=reason)) or b""

    def _write(self, response: HttpResponse, date: str, close: bool) -> None:
        parts: list[bytes | None] = [self._head(response, date, close)]
        if response.body:
            parts.append(self._h11.send(h11.Data(data=response.body)))
        parts.append(self._h11.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))

    async def _write_stored(self, response: HttpResponse, stored: StoredPart, date: str, close: bool) -> None:
        """Send a file from the disk: a piece is read when the client has taken the one before."""
        opened = await asyncio.to_thread(stored.file.path.open, "rb", 0)
        with opened:
            self._writer.write(self._head(response, date, close))
            for first in stored.part[::STORED_PIECE_BYTES]:
                length = min(STORED_PIECE_BYTES, stored.part.stop - first)
                data = await asyncio.to_thread(os.pread, opened.fileno(), length, first)
                if len(data) < length:
                    raise OSError(errno.EIO, "the file is shorter than it was")
                self._writer.write(self._h11.send(h11.Data(data=data)) or b"")
                await self._drained()
        self._writer.write(self._h11.send(h11.EndOfMessage()) or b"")
        await self._drained()

    async def _drained(self) -> None:
        async with asyncio.timeout(self._limits.write_seconds):
            await self._writer.drain()


def _request(event: h11.Request, client: _Client, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=event.method.decode("ascii", "replace"),
        target=event.target.decode("ascii", "replace"),
        address=client.address,
        headers=tuple((name.decode("ascii", "replace"), value.decode("latin-1")) for name, value in event.headers),
        body=body,
        secure=client.secure,
        certificate_of=client.certificate_of,
    )
