"""Large content sealed in pieces: any part of it is read without the rest, and nothing of it can be changed."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.pbx.sealed_pieces import SEALED_BYTES, PieceUnreadable, SealedPieces, sealed_offset
from contract.sync.call_recordings import CALL_PIECE_BYTES

KEY, OF = b"k" * 32, UUID(int=1)
PIECES = [bytes([number]) * CALL_PIECE_BYTES for number in range(3)] + [b"the rest"]


def sealed_whole() -> bytes:
    pieces = SealedPieces(KEY, OF)
    return b"".join(pieces.seal(place, data, bytes([place]) * 12) for place, data in enumerate(PIECES))


@given(st.lists(st.integers(1, 5 * CALL_PIECE_BYTES // 2), max_size=6), st.integers(0, 3))
def test_pieces_come_back_from_any_place_however_their_bytes_are_cut(cuts: list[int], place: int) -> None:
    left, chunks = sealed_whole()[sealed_offset(place) :], []
    for cut in cuts:
        chunks.append(left[:cut])
        left = left[cut:]
    chunks.append(left)
    assert list(SealedPieces(KEY, OF).opened(chunks, place)) == PIECES[place:]


@given(st.integers(0, len(sealed_whole()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    whole = bytearray(sealed_whole())
    whole[at] ^= by
    with pytest.raises(PieceUnreadable):
        list(SealedPieces(KEY, OF).opened([bytes(whole)], 0))


@given(st.binary(max_size=200))
def test_any_other_bytes_are_unreadable(data: bytes) -> None:
    with pytest.raises(PieceUnreadable):
        SealedPieces(KEY, OF).open(0, data)


def test_pieces_cannot_change_places_nor_be_those_of_something_else() -> None:
    whole = sealed_whole()
    second = whole[SEALED_BYTES : 2 * SEALED_BYTES]
    for pieces, place in (
        (SealedPieces(KEY, OF), 0),
        (SealedPieces(KEY, UUID(int=2)), 1),
        (SealedPieces(b"o" * 32, OF), 1),
    ):
        with pytest.raises(PieceUnreadable, match=f"piece {place} was changed"):
            pieces.open(place, second)
