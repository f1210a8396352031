"""Recordings on disk, encrypted: one second of both channels after the other, each sealed by itself (AES-256-GCM).

    head (24 bytes) │ nonce (12) · one second of both channels (16,000) · tag (16) │ … │ what is left, shorter

A kill costs the second that is being written. Each second is bound to its recording and to its place in it, so that
none can be moved, exchanged or taken out of the middle without being noticed. What is sealed is G.711 µ-law, the
channels interleaved; read, it is a WAV file.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge_agent.media.errors import RecordingFailed
from edge_agent.tokens import Tokens

RATE: Final = 8000
CHANNELS: Final = 2
SECOND_BYTES: Final = RATE * CHANNELS
_HEAD: Final = b"tandem-call-recording-1\n"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MORE: Final = _NONCE_BYTES + _TAG_BYTES
_SEALED_BYTES: Final = SECOND_BYTES + _MORE
_MU_LAW: Final = 7


def key_of(site_key: bytes, recording_id: str) -> bytes:
    """The key of one recording, so that no key seals more than one recording's seconds (RFC 5869)."""
    info = b"tandem call recording\x00" + recording_id.encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(site_key)


def wav_header(data_bytes: int) -> bytes:
    """What stands before so many bytes of two channels of µ-law in a WAV file."""
    shape = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _MU_LAW, CHANNELS, RATE, SECOND_BYTES, CHANNELS, 8, 0)
    shape += struct.pack("<4sII", b"fact", 4, data_bytes // CHANNELS)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(shape) + 8 + data_bytes, b"WAVE") + shape + _data(data_bytes)


def _data(data_bytes: int) -> bytes:
    return struct.pack("<4sI", b"data", data_bytes)


class SealedWriter:
    """Writes one recording, second by second; takes one up again that a kill left. It waits for the disk.

    Args:
        path: the file; made when missing.
        site_key: 32 bytes.
        recording_id: names it.
        tokens: nonces.

    Raises:
        OSError: the disk would not.
        RecordingFailed: there is a file of that name that is something else.
    """

    def __init__(self, path: Path, site_key: bytes, recording_id: str, tokens: Tokens) -> None:
        self._cipher = AESGCM(key_of(site_key, recording_id))
        self._name, self._tokens = recording_id.encode(), tokens
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self.seconds = self._taken_up()
        except (OSError, RecordingFailed):
            self._file.close()
            raise

    def _taken_up(self) -> int:
        """Go on behind the last whole second; how many there are."""
        size = os.fstat(self._file.fileno()).st_size
        if size < len(_HEAD):
            self._file.truncate(0)
            self._put(0, _HEAD)
            return 0
        if self._file.read(len(_HEAD)) != _HEAD:
            raise RecordingFailed("the file is no recording of a call")
        seconds = (size - len(_HEAD)) // _SEALED_BYTES
        self._file.truncate(len(_HEAD) + seconds * _SEALED_BYTES)
        self._file.seek(0, os.SEEK_END)
        return seconds

    def append(self, sound: bytes) -> None:
        """The next second, or the last one, which may be shorter.

        Raises:
            OSError: the disk would not.
        """
        nonce = bytes.fromhex(self._tokens.token(_NONCE_BYTES))
        sealed = nonce + self._cipher.encrypt(nonce, sound, _bound(self._name, self.seconds))
        self._put(len(_HEAD) + self.seconds * _SEALED_BYTES, sealed)
        self.seconds += 1

    def _put(self, at: int, data: bytes) -> None:
        """All of it or nothing, at the end of the file: a disk that fills up takes a part."""
        if self._file.write(data) != len(data):
            self._file.truncate(at)
            self._file.seek(at)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Make it safe against a power cut."""
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


class SealedRecording:
    """Reads one recording, as the WAV file that it is. What a kill left at its end is not part of it.

    Args:
        path: the file.
        site_key: 32 bytes.
        recording_id: names it.
        header: what stands before so many bytes of what it seals.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(
        self, path: Path, site_key: bytes, recording_id: str, header: Callable[[int], bytes] = wav_header
    ) -> None:
        self._path, self._name, self._header = path, recording_id.encode(), header
        self._cipher = AESGCM(key_of(site_key, recording_id))
        size = max(0, path.stat().st_size - len(_HEAD))
        whole, rest = divmod(size, _SEALED_BYTES)
        self._pieces = whole
        self.data_bytes = whole * SECOND_BYTES
        """Of sound."""
        if rest > _MORE and self._opens(whole):
            self._pieces += 1
            self.data_bytes += (rest - _MORE) // CHANNELS * CHANNELS

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.data_bytes / SECOND_BYTES

    def wav(self) -> Iterator[bytes]:
        """The file, a second at a time.

        Raises:
            OSError: it cannot be read.
            RecordingFailed: it was changed, or sealed with another key.
        """
        yield self._header(self.data_bytes)
        with self._path.open("rb") as file:
            file.seek(len(_HEAD))
            for place in range(self._pieces):
                try:
                    yield self._opened(place, file.read(_SEALED_BYTES))
                except InvalidTag:
                    raise RecordingFailed(f"second {place} was changed, or sealed with another key") from None

    def wav_part(self, first: int, most: int) -> bytes:
        """The file's bytes from number `first` on, as many as asked for or up to its end.

        Raises:
            OSError, RecordingFailed: as `wav`.
        """
        header = self._header(self.data_bytes)
        part = bytearray(header[first : first + most])
        at = max(0, first - len(header))
        place, skipped = divmod(at, SECOND_BYTES)
        with self._path.open("rb") as file:
            file.seek(len(_HEAD) + place * _SEALED_BYTES)
            while len(part) < most and place < self._pieces:
                try:
                    second = self._opened(place, file.read(_SEALED_BYTES))
                except InvalidTag:
                    raise RecordingFailed(f"second {place} was changed, or sealed with another key") from None
                part += second[skipped:]
                skipped, place = 0, place + 1
        return bytes(part[:most])

    def _opens(self, place: int) -> bool:
        try:
            with self._path.open("rb") as file:
                file.seek(len(_HEAD) + place * _SEALED_BYTES)
                self._opened(place, file.read(_SEALED_BYTES))
        except InvalidTag:
            return False
        return True

    def _opened(self, place: int, sealed: bytes) -> bytes:
        if len(sealed) < _MORE:
            raise InvalidTag
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(self._name, place))


def _bound(name: bytes, place: int) -> bytes:
    """What a second is bound to."""
    return _HEAD + name + struct.pack("!I", place)
