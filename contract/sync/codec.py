"""Messages to bytes and back, with limits; the same on QUIC streams and on WebSocket.

A message is `codec version (1 byte) · flags (1 byte) · JSON`, the JSON deflated when flag 1 is set. On a byte
stream each message is preceded by its length in four bytes, big-endian; a WebSocket message needs none.
"""

import zlib
from typing import Final

from pydantic import TypeAdapter, ValidationError

from contract.sync.messages import Message

CODEC_VERSION: Final = 1
MAX_ENCODED_BYTES: Final = 8 * 1024 * 1024
"""One message on the wire."""
MAX_DECODED_BYTES: Final = 64 * 1024 * 1024
"""One message after inflating: 20,000 users with devices fit, a decompression bomb does not."""
COMPRESS_FROM_BYTES: Final = 1024
_DEFLATED: Final = 0x01

_adapter: TypeAdapter[Message] = TypeAdapter(Message)


class CodecError(ValueError):
    """What arrived is not a message of this protocol; the text says why, without repeating what arrived."""


def encode(message: Message) -> bytes:
    """The bytes of one message, without a length in front.

    Raises:
        CodecError: it is larger than a message may be.
    """
    text = message.model_dump_json().encode()
    flags = 0
    if len(text) > MAX_DECODED_BYTES:
        raise CodecError(f"message of {len(text)} bytes, at most {MAX_DECODED_BYTES} are allowed")
    if len(text) >= COMPRESS_FROM_BYTES:
        text, flags = zlib.compress(text, 1), _DEFLATED
    if len(text) + 2 > MAX_ENCODED_BYTES:
        raise CodecError(f"message of {len(text)} bytes, at most {MAX_ENCODED_BYTES} are allowed")
    return bytes((CODEC_VERSION, flags)) + text


def decode(data: bytes, max_decoded_bytes: int = MAX_DECODED_BYTES) -> Message:
    """The message in `data`.

    Args:
        data: one encoded message.
        max_decoded_bytes: how large it may be after inflating; less for a peer that is not known yet.

    Raises:
        CodecError: wrong version, flags, size, JSON or fields.
    """
    if len(data) < 3:
        raise CodecError("message shorter than its header")
    if len(data) > MAX_ENCODED_BYTES:
        raise CodecError(f"message of {len(data)} bytes, at most {MAX_ENCODED_BYTES} are allowed")
    if data[0] != CODEC_VERSION:
        raise CodecError(f"codec version {data[0]}, only {CODEC_VERSION} is spoken here")
    if data[1] & ~_DEFLATED:
        raise CodecError(f"unknown flags {data[1]:#04x}")
    text = _inflate(data[2:], max_decoded_bytes) if data[1] & _DEFLATED else data[2:]
    try:
        return _adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))[:200]
        raise CodecError(
            f"{error.error_count()} problems, the first at {place or 'the top'}: {first['type']}"
        ) from None


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, limit)
    except zlib.error:
        raise CodecError("not deflated data") from None
    if not inflater.eof or inflater.unused_data:
        raise CodecError("deflated data too long, cut off or followed by more")
    return text


def frame(payload: bytes) -> bytes:
    """An encoded message as it stands on a byte stream."""
    return len(payload).to_bytes(4, "big") + payload


class FrameReader:
    """Cuts a byte stream back into encoded messages; holds at most one message and what came with it."""

    def __init__(self, limit: int = MAX_ENCODED_BYTES) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes.

        Raises:
            CodecError: a peer announced a message over the limit.
        """
        self._buffer += data
        payloads: list[bytes] = []
        at = 0
        while len(self._buffer) - at >= 4:
            length = int.from_bytes(self._buffer[at : at + 4], "big")
            if length > self._limit:
                raise CodecError(f"message of {length} bytes announced, at most {self._limit} are allowed")
            if len(self._buffer) - at - 4 < length:
                break
            payloads.append(bytes(self._buffer[at + 4 : at + 4 + length]))
            at += 4 + length
        del self._buffer[:at]
        return payloads
