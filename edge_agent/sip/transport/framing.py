"""What every stream does with its bytes, whatever is spoken on it."""

from typing import Protocol

from edge_agent.sip.message import Limits
from edge_agent.sip.transport.framer import StreamFramer


class Framing(Protocol):
    """Bytes to messages and back."""

    @property
    def waiting(self) -> bool:
        """Whether a message (or a handshake) has begun and not ended."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the stream is to be closed, after `outgoing` is sent."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, with `PING` for each keep-alive to be answered.

        Raises:
            BadMessage: the stream has to be closed, after `outgoing` is sent.
        """
        ...

    def wrap(self, data: bytes) -> bytes:
        """A message as it goes out."""
        ...

    def outgoing(self) -> bytes:
        """What the framing itself has to say: handshakes, pongs, closing."""
        ...

    def ping(self) -> bytes:
        """What asks the peer for a sign of life; empty where nothing does."""
        ...


class PlainFraming:
    """SIP over TCP or TLS: messages one after the other (RFC 3261 §18.3)."""

    def __init__(self, limits: Limits) -> None:
        self._framer = StreamFramer(limits)

    @property
    def waiting(self) -> bool:
        """See `Framing`."""
        return self._framer.waiting

    @property
    def ended(self) -> bool:
        """See `Framing`."""
        return False

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing`."""
        return self._framer.feed(data)

    def wrap(self, data: bytes) -> bytes:
        """See `Framing`."""
        return data

    def outgoing(self) -> bytes:
        """See `Framing`."""
        return b""

    def ping(self) -> bytes:
        """See `Framing`: phones ping us, not we them (RFC 5626 §4.4.1)."""
        return b""
