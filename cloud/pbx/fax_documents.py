"""A fax as PDF: its pages' coded data as it is, each strip an image by CCITTFaxDecode (ISO 32000-1, 7.4.6)."""

from __future__ import annotations

from contract.fax_image import Page, Strip, pages_of

_POINTS_PER_INCH = 72.0
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def fax_pdf(tiff: bytes) -> bytes:
    """The document.

    Args:
        tiff: the fax as it was received.

    Raises:
        BadFax: it cannot be read, or is coded in another way than fax is.
    """
    pages = pages_of(tiff)
    document = _Document()
    tree = document.reserve()
    kids = [_page(document, page, tree) for page in pages]
    names = b" ".join(b"%d 0 R" % kid for kid in kids)
    document.put(tree, b"<< /Type /Pages /Kids [%s] /Count %d >>" % (names, len(kids)))
    return document.finished(document.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree))


class _Document:
    """Objects, numbered from 1, and where each begins."""

    def __init__(self) -> None:
        self._data = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        self._at: list[int] = []

    def reserve(self) -> int:
        """A number for an object that comes later."""
        self._at.append(0)
        return len(self._at)

    def put(self, number: int, content: bytes, stream: bytes | None = None) -> None:
        """An object."""
        self._at[number - 1] = len(self._data)
        body = b"" if stream is None else b"\nstream\n%s\nendstream" % stream
        self._data += b"%d 0 obj\n%s%s\nendobj\n" % (number, content, body)

    def add(self, content: bytes, stream: bytes | None = None) -> int:
        """A further object; its number."""
        number = self.reserve()
        self.put(number, content, stream)
        return number

    def finished(self, root: int) -> bytes:
        """The whole document."""
        begin, count = len(self._data), len(self._at) + 1
        self._data += b"xref\n0 %d\n0000000000 65535 f \n" % count
        self._data += b"".join(b"%010d 00000 n \n" % at for at in self._at)
        self._data += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, root, begin)
        return bytes(self._data)


def _page(document: _Document, page: Page, tree: int) -> int:
    across, down = page.dpi
    width = page.columns / across * _POINTS_PER_INCH
    heights = [strip.rows / down * _POINTS_PER_INCH for strip in page.strips]
    images = [_image(document, page, strip) for strip in page.strips]
    drawn, top = [], sum(heights)
    for number, height in enumerate(heights):
        top -= height
        drawn.append(b"q %.4f 0 0 %.4f 0 %.4f cm /S%d Do Q" % (width, height, top, number))
    content = b"\n".join(drawn)
    shown = document.add(b"<< /Length %d >>" % len(content), content)
    names = b" ".join(b"/S%d %d 0 R" % named for named in enumerate(images))
    return document.add(
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.4f %.4f] "
        b"/Resources << /XObject << %s >> >> /Contents %d 0 R >>" % (tree, width, sum(heights), names, shown)
    )


def _image(document: _Document, page: Page, strip: Strip) -> int:
    data = strip.data.translate(_REVERSED) if page.low_bit_first else strip.data
    kind = -1 if page.is_t6 else 1 if page.two_dimensional else 0
    coded = b"/K %d /Columns %d /Rows %d /BlackIs1 %s /EncodedByteAlign %s /EndOfBlock false" % (
        kind,
        page.columns,
        strip.rows,
        b"true" if page.ones_are_black else b"false",
        b"true" if page.aligned else b"false",
    )
    return document.add(
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 "
        b"/Filter /CCITTFaxDecode /DecodeParms << %s >> /Length %d >>" % (page.columns, strip.rows, coded, len(data)),
        data,
    )
