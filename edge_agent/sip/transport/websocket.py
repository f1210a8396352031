"""SIP over WebSocket, the server's side (RFC 7118): one message in each WebSocket message, subprotocol `sip`.

Without I/O: `websockets` parses and writes frames and bounds them; this puts fragments together and knows SIP's part.
"""

from __future__ import annotations

import logging
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from edge_agent.sip.message import BadMessage, DropReason, Limits
from edge_agent.sip.transport.framer import PING

SUBPROTOCOL: Final = Subprotocol("sip")
_HANDSHAKE_BYTES: Final = 16_384
"""What a handshake may have; browsers send about one thousand."""
_END_OF_REQUEST: Final = b"\r\n\r\n"

_log = logging.getLogger(__name__)


class WebSocketFraming:
    """One connection; see `Framing`.

    Args:
        limits: `message_bytes` bounds one message, whatever number of frames it comes in.
    """

    def __init__(self, limits: Limits) -> None:
        self._protocol = ServerProtocol(subprotocols=[SUBPROTOCOL], max_size=limits.message_bytes, logger=_log)
        self._handshake_left = _HANDSHAKE_BYTES
        self._handshake_end = b""
        """The last bytes of the request so far; its end may come in pieces."""
        self._fragments: bytearray | None = None

    @property
    def waiting(self) -> bool:
        """Whether the handshake, a frame or a message of several frames has begun and not ended; see `Framing`."""
        protocol = self._protocol
        return protocol.state is State.CONNECTING or self._fragments is not None or bool(protocol.reader.buffer)

    @property
    def ended(self) -> bool:
        """Whether the peer closed it, or it was refused: to be closed after `outgoing` is sent."""
        return self._protocol.close_expected()

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing`; a CRLF keep-alive (RFC 7118 §6, RFC 5626 §3.5.1) is a message of its own here too."""
        found: list[bytes] = []
        if self._protocol.state is State.CONNECTING:
            # What follows the request may be frames, which count only once the handshake is answered.
            head, data = self._cut_handshake(data)
            self._take(head, found)
        if data and not self.ended:
            self._take(data, found)
        return found

    def _cut_handshake(self, data: bytes) -> tuple[bytes, bytes]:
        """What belongs to the handshake's request, and what comes after it."""
        seen = self._handshake_end + data
        end = seen.find(_END_OF_REQUEST)
        at = len(data) if end < 0 else end + len(_END_OF_REQUEST) - len(self._handshake_end)
        self._handshake_end = seen[1 - len(_END_OF_REQUEST) :]
        self._handshake_left -= at
        if self._handshake_left < 0:
            raise BadMessage(DropReason.TOO_LARGE, "Message Too Large", 513)
        return data[:at], data[at:]

    def _take(self, data: bytes, found: list[bytes]) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        self._events(found)
        if protocol.handshake_exc is not None or protocol.parser_exc is not None:
            raise BadMessage(DropReason.BAD_WEBSOCKET, "Not SIP Over WebSocket")

    def _events(self, found: list[bytes]) -> None:
        """Take what the parser found."""
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if event.fin and self._fragments is None:
                    self._message(bytes(event.data), found)
                    continue
                self._fragments = self._fragments or bytearray()
                self._fragments += event.data
                if event.fin:
                    whole, self._fragments = bytes(self._fragments), None
                    self._message(whole, found)

    def _message(self, data: bytes, found: list[bytes]) -> None:
        if data == PING:
            found.append(PING)
        elif data.strip(b"\r\n"):
            found.append(data)

    def wrap(self, data: bytes) -> bytes:
        """See `Framing`: a text frame, as browsers like it, unless the message is not UTF-8 (RFC 7118 §4.2)."""
        protocol = self._protocol
        if protocol.state is not State.OPEN:
            return b""
        try:
            data.decode()
        except UnicodeDecodeError:
            protocol.send_binary(data)
        else:
            protocol.send_text(data)
        return self.outgoing()

    def outgoing(self) -> bytes:
        """See `Framing`."""
        return b"".join(self._protocol.data_to_send())

    def ping(self) -> bytes:
        """See `Framing` (RFC 7118 §6, RFC 6455 §5.5.2)."""
        if self._protocol.state is not State.OPEN:
            return b""
        self._protocol.send_ping(b"")
        return self.outgoing()
