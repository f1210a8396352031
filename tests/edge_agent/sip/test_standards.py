"""The page of standards names tests that exist, and says something about each standard."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = (ROOT / "docs" / "standards.md").read_text()
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    """The cells of every row that is no heading."""
    found = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("|")
    ]
    return [cells for cells in found if cells[0] != "RFC" and set(cells[0]) != {"-"}]


def missing(page: str) -> list[str]:
    """The tests that a page names and nobody wrote."""
    named = NAMED.findall(page)
    places = {path: (ROOT if path.startswith("tests/") else HERE) / path for path, _ in named}
    return [f"{path}::{name}" for path, name in named if not is_written(places[path], name)]


def is_written(file: Path, name: str) -> bool:
    """Whether a file has a test of that name."""
    return file.is_file() and re.search(rf"^(async )?def {name}\(", file.read_text(), re.MULTILINE) is not None


def test_every_test_that_the_page_names_exists() -> None:
    assert len(NAMED.findall(PAGE)) > 50
    assert missing(PAGE) == []


def test_a_name_that_nobody_wrote_is_found() -> None:
    page = (
        "`proxy/test_calls.py::test_nobody_wrote_this` `nowhere/test_x.py::test_y` `proxy/test_calls.py::test_a_call` "
        "`tests/edge_agent/media/test_sdp.py::test_nobody_wrote_this_either`"
    )
    assert len(missing(page)) == 4


def test_every_standard_says_what_is_supported_and_by_which_test() -> None:
    for cells in rows():
        assert len(cells) == 5, cells
        rfc, subject, supported, _, tests = cells
        assert re.fullmatch(r"\d{4}( §[\d.]+)?(, (\d{4}|§[\d.]+))*", rfc), rfc
        assert subject, rfc
        assert supported, rfc
        assert NAMED.search(tests), rfc
        assert not NAMED.sub("", tests).strip(" ,"), rfc
