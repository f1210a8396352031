"""Pages of fax files: counted and taken apart, whatever the file holds."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fax_image import MAX_STRIPS, BadFax, Page, Strip, count_pages, pages_of
from tests.support.fax_files import Sheet, tiff


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_page_is_found_with_how_it_is_coded(order: str) -> None:
    first = Sheet(rows=4, strips=(b"\x01\x02", b"\x03"), low_bit_first=True)
    second = Sheet(columns=2048, rows=9, strips=(b"\x07",), compression=3, photometric=1, options=5)
    one, other = pages_of(tiff(first, second, order=order))
    assert one == Page(
        1728, (Strip(4, b"\x01\x02"), Strip(4, b"\x03")), True, False, False, True, False, (204.0, 196.0)
    )
    assert other == Page(2048, (Strip(9, b"\x07"),), False, True, True, False, True, (204.0, 196.0))
    assert count_pages(tiff(first, second, order=order)) == 2


def test_a_file_that_is_cut_off_has_the_pages_before_the_cut() -> None:
    whole = tiff(Sheet(), Sheet(), Sheet())
    counts = [count_pages(whole[:length]) for length in range(len(whole) + 1)]
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no TIFF"),
        (b"RIFF....WAVE", "no TIFF"),
        (b"II*\0\1", "ends within its beginning"),
        (b"II*\0\0\0\0\0", "no whole page"),
        (tiff(Sheet(compression=5)), "the coding 5"),
        (tiff(Sheet(columns=0)), "a page of 0"),
        (tiff(Sheet(rows=0)), "a page of 1728 by 0"),
    ],
)
def test_what_is_no_fax_is_refused_by_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadFax, match=why):
        pages_of(data)
    assert count_pages(data) == 0


def test_directories_that_lead_back_to_themselves_end() -> None:
    data = bytearray(tiff())
    data[-4:] = data[4:8]
    assert count_pages(bytes(data)) == 1


def test_a_small_file_makes_no_large_document_by_naming_the_same_data_again_and_again() -> None:
    data = bytearray(tiff(Sheet(strips=(b"\1" * 400, b"\2"))))
    sizes = data.index(struct.pack("<2I", 400, 1))
    struct.pack_into("<2I", data, sizes, 400, 400)
    with pytest.raises(BadFax, match="800 bytes in 2 parts, of 5"):
        pages_of(bytes(data))


def test_the_pages_before_one_that_cannot_be_read_are_counted_and_none_is_shown() -> None:
    data = tiff(Sheet(), Sheet(compression=5))
    assert count_pages(data) == 1
    with pytest.raises(BadFax, match="the coding 5"):
        pages_of(data)


def test_more_parts_than_any_receiver_writes_are_refused() -> None:
    sheet = Sheet(rows=1, strips=(b"\1",) * MAX_STRIPS)
    assert count_pages(tiff(*[sheet] * 4)) == 4
    with pytest.raises(BadFax, match="in 20480 parts"):
        pages_of(tiff(*[sheet] * 5))


@given(st.binary(max_size=400), st.integers(0, 400), st.sampled_from("<>"))
def test_any_bytes_are_pages_or_no_fax(noise: bytes, at: int, order: str) -> None:
    whole = tiff(Sheet(), Sheet(strips=(b"\1" * 30, b"\2" * 30)), order=order)
    for data in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            pages = pages_of(data)
        except BadFax:
            continue
        assert len(pages) == count_pages(data)
