"""Large content sealed in pieces, so that any part of it can be read without the rest (AES-256-GCM).

    nonce (12) · a piece of CALL_PIECE_BYTES · tag (16) │ … │ what is left, shorter

Each piece is bound to what it is of and to its place in it, so that none can be moved, exchanged or taken out of the
middle without being noticed; how many there are is for the reader to know. A data key seals one content only.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.errors import CloudError
from contract.sync.call_recordings import CALL_PIECE_BYTES

_NONCE_BYTES: Final = 12
_MORE: Final = _NONCE_BYTES + 16
SEALED_BYTES: Final = CALL_PIECE_BYTES + _MORE
KEY_BYTES: Final = 32


class PieceUnreadable(CloudError):
    """A piece was changed, or is of something else."""


class SealedPieces:
    """Seals and opens the pieces of one content.

    Args:
        data_key: 32 bytes.
        of: what it is.
    """

    def __init__(self, data_key: bytes, of: UUID) -> None:
        self._cipher, self._of = AESGCM(data_key), of.bytes

    def seal(self, place: int, data: bytes, nonce: bytes) -> bytes:
        """One piece, counted from 0; `nonce` is 12 bytes that this key never meets again."""
        return nonce + self._cipher.encrypt(nonce, data, self._bound(place))

    def open(self, place: int, sealed: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            PieceUnreadable: it was changed, or is another one.
        """
        if len(sealed) < _MORE:
            raise PieceUnreadable(f"piece {place} is cut off")
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound(place))
        except InvalidTag:
            raise PieceUnreadable(f"piece {place} was changed, or sealed with another key") from None

    def opened(self, chunks: Iterable[bytes], place: int) -> Iterator[bytes]:
        """The pieces from number `place` on, of sealed bytes that come cut in any way.

        Raises:
            PieceUnreadable: as `open`.
        """
        held = bytearray()
        for chunk in chunks:
            held += chunk
            while len(held) >= SEALED_BYTES:
                yield self.open(place, bytes(held[:SEALED_BYTES]))
                del held[:SEALED_BYTES]
                place += 1
        if held:
            yield self.open(place, bytes(held))

    def _bound(self, place: int) -> bytes:
        return self._of + struct.pack("!I", place)


def sealed_offset(place: int) -> int:
    """Where a piece begins among the sealed ones."""
    return place * SEALED_BYTES
