"""Faxes as PDF: their pages as they came, at their size."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cloud.pbx.fax_documents import fax_pdf
from contract.fax_image import BadFax
from tests.support.fax_files import Sheet, tiff


def test_each_page_is_an_image_with_its_coded_data_as_it_was() -> None:
    document = fax_pdf(tiff(Sheet(strips=(b"\x35\x96", b"\x01")), Sheet(compression=3, options=0)))
    assert document.startswith(b"%PDF-1.4\n")
    assert document.endswith(b"%%EOF\n")
    assert document.count(b"/Type /Page ") == 2
    assert b"/Count 2" in document
    assert b"stream\n\x35\x96\nendstream" in document
    assert document.count(b"/K -1 ") == 2
    assert document.count(b"/K 0 ") == 1
    # 1,728 dots at 204 dpi, and 16 rows at 196.
    assert b"/MediaBox [0 0 609.8824 5.8776]" in document


def test_bits_are_turned_where_the_lowest_comes_first() -> None:
    assert b"stream\n\x80\x0f\nendstream" in fax_pdf(tiff(Sheet(strips=(b"\x01\xf0",), low_bit_first=True)))


def test_each_object_begins_where_the_table_says() -> None:
    document = fax_pdf(tiff(Sheet(), Sheet()))
    begin = int(re.findall(rb"startxref\n(\d+)", document)[0])
    assert document[begin:].startswith(b"xref\n")
    places = re.findall(rb"(\d{10}) 00000 n", document[begin:])
    assert [document[int(at) :].split(b" ")[0] for at in places] == [b"%d" % (n + 1) for n in range(len(places))]


def test_a_fax_that_cannot_be_read_makes_no_document() -> None:
    with pytest.raises(BadFax):
        fax_pdf(b"no fax")


@pytest.mark.peer("pdfimages")
def test_a_reader_of_others_draws_what_was_sent(tmp_path: Path) -> None:
    # T.6: in the first row columns 8 to 15 are black (horizontal mode), all others are as the first (vertical mode).
    bits = "001" + "10011" + "000101" + "1" + "111" * 97
    coded = int(bits.ljust(312, "0"), 2).to_bytes(39, "big")
    (tmp_path / "fax.pdf").write_bytes(fax_pdf(tiff(Sheet(columns=104, rows=98, strips=(coded,)))))
    program = shutil.which("pdfimages")
    assert program is not None
    subprocess.run([program, "fax.pdf", "page"], cwd=tmp_path, check=True)
    (drawn,) = tmp_path.glob("page*.pbm")
    assert drawn.read_bytes() == b"P4\n104 98\n" + (b"\x00\xff" + b"\x00" * 11) * 98
